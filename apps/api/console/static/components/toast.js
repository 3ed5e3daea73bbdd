// Short messages in the corner, read out by screen readers.
import { html } from "../vendor/preact.js";
import { createStore, useStore } from "../store.js";
import { Icon } from "./icons.js";
import { sentence } from "./states.js";

const SHOWN_MS = 6000;
const toasts = createStore([]);
let last = 0;

// `action` is { label, run }: a button in the message.
export function toast(text, { kind = "plain", action } = {}) {
  const id = (last += 1);
  toasts.set((shown) => [...shown.slice(-3), { id, text, kind, action }]);
  if (kind !== "bad") setTimeout(() => dismiss(id), SHOWN_MS);
}

// Shows what went wrong; it stays until somebody closes it.
export function toastError(error, what = "") {
  if (error?.name === "AbortError") return;
  toast(what ? `${what}: ${sentence(error)}` : sentence(error), { kind: "bad" });
}

function dismiss(id) {
  toasts.set((shown) => shown.filter((one) => one.id !== id));
}

export function Toasts() {
  const shown = useStore(toasts);
  return html`<div class="toasts" role="log" aria-label="Messages" aria-live="polite">
    ${shown.map(({ id, text, kind, action }) => html`<div class="toast ${kind}" key=${id}>
      <p>${text}</p>
      ${action && html`<button class="button small" onClick=${() => { dismiss(id); action.run(); }}>${action.label}</button>`}
      <button class="button quiet icon small" aria-label="Close message" onClick=${() => dismiss(id)}><${Icon} name="close" size=${16} /></button>
    </div>`)}
  </div>`;
}
