// Hooks that several components share.
import { html, useCallback, useEffect, useRef, useState } from "../vendor/preact.js";

export { html };

let last = 0;

export function useId() {
  return useState(() => `f${(last += 1)}`)[0];
}

// Loads something when `inputs` change: { data, error, loading, reload, setData }. What arrives too late is dropped.
// `load(signal)` gets a signal for fetch.
export function useResource(load, inputs) {
  const [state, setState] = useState({ data: null, error: null, loading: true });
  const current = useRef(null);
  const reload = useCallback(() => {
    current.current?.abort();
    const control = (current.current = new AbortController());
    setState((before) => ({ ...before, loading: true, error: null }));
    return load(control.signal).then(
      (data) => control.signal.aborted || setState({ data, error: null, loading: false }),
      (error) => control.signal.aborted || setState((before) => ({ ...before, error, loading: false })),
    );
  }, inputs);
  useEffect(() => {
    reload();
    return () => current.current?.abort();
  }, [reload]);
  const setData = (data) => setState((before) => ({ ...before, data: typeof data === "function" ? data(before.data) : data }));
  return { ...state, reload, setData };
}

// Calls `handler` for keys that are pressed outside of fields and dialogs.
export function useKeys(handler) {
  const latest = useRef(handler);
  latest.current = handler;
  useEffect(() => {
    const pressed = (event) => {
      if (event.defaultPrevented || event.target.closest?.("input, textarea, select, dialog, [role=menu]")) return;
      latest.current(event);
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
