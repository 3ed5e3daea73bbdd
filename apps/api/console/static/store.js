// Values that several components share.
import { useEffect, useState } from "./vendor/preact.js";

export function createStore(initial) {
  let value = initial;
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      value = typeof next === "function" ? next(value) : next;
      listeners.forEach((listener) => listener(value));
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore(store) {
  const [, redraw] = useState(null);
  const value = store.get();
  useEffect(() => {
    const changed = () => redraw({});
    if (store.get() !== value) changed(); // between the drawing and this effect
    return store.subscribe(changed);
  }, [store]);
  return value;
}

// The ids of the images that are selected in the library, for every view.
export const selection = createStore(new Set());
