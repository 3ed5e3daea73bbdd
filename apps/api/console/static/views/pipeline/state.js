// The pipeline that is being made. It stays while other views are open.
import { createStore } from "../../store.js";

let last = 0;

// steps: [{ key, operation }], whose keys stay when they are moved
export const pipeline = createStore({ image: null, steps: [], open: null });

export const operationsOf = (steps) => steps.map((step) => step.operation);

export function setSteps(change) {
  pipeline.set((state) => ({ ...state, steps: typeof change === "function" ? change(state.steps) : change }));
}

export function replaceAll(operations) {
  setSteps(operations.map(stepOf));
}

export function add(operation) {
  const step = stepOf(operation);
  pipeline.set((state) => ({ ...state, steps: [...state.steps, step], open: step.key }));
}

export function change(key, operation) {
  setSteps((steps) => steps.map((step) => (step.key === key ? { ...step, operation } : step)));
}

export function remove(key) {
  setSteps((steps) => steps.filter((step) => step.key !== key));
}

// Puts a step before another place: 0 is the first.
export function move(key, place) {
  setSteps((steps) => {
    const step = steps.find((one) => one.key === key);
    const others = steps.filter((one) => one.key !== key);
    const at = Math.min(others.length, Math.max(0, place));
    return [...others.slice(0, at), step, ...others.slice(at)];
  });
}

function stepOf(operation) {
  last += 1;
  return { key: last, operation };
}
