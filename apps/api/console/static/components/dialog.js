// Modal dialogs. The browser keeps the focus inside, closes with Esc, and gives the focus back.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { createStore, useStore } from "../store.js";
import { sentence } from "./states.js";

const asked = createStore(null); // the question of `confirm`

export function Dialog({ title, onClose, wide = false, closable = true, children }) {
  const box = useRef(null);
  useEffect(() => {
    const opener = document.activeElement;
    box.current.showModal();
    return () => opener?.isConnected && opener.focus?.();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    if (closable) onClose();
  };
  return html`<dialog ref=${box} class=${wide ? "wide" : ""} aria-label=${title} onCancel=${cancel}
      onMouseDown=${(event) => event.target === box.current && closable && onClose()}>
    <div class="inside"><h2>${title}</h2>${children}</div>
  </dialog>`;
}

// Resolves to whether somebody agrees: `await confirm("Delete 3 images?", { action: "Delete", danger: true })`.
export function confirm(title, { text = "", action = "OK", danger = false } = {}) {
  return new Promise((resolve) => asked.set({ title, text, action, danger, resolve }));
}

export function Dialogs() {
  const question = useStore(asked);
  if (!question) return null;
  const answer = (agrees) => {
    asked.set(null);
    question.resolve(agrees);
  };
  return html`<${Dialog} title=${question.title} onClose=${() => answer(false)}>
    ${question.text && html`<p>${question.text}</p>`}
    <div class="buttons">
      <button class="button" onClick=${() => answer(false)}>Cancel</button>
      <button class="button ${question.danger ? "danger" : "primary"}" autofocus onClick=${() => answer(true)}>${question.action}</button>
    </div>
  </${Dialog}>`;
}

// A form in a dialog: `onSubmit(values)` gets the fields by name; what it throws is shown, and the dialog stays open.
export function FormDialog({ title, action, onSubmit, onClose, children, wide }) {
  const { submit, fault, busy } = useSubmit(async (values) => {
    await onSubmit(values);
    onClose();
  });
  return html`<${Dialog} title=${title} onClose=${onClose} wide=${wide}>
    <form class="stack" onSubmit=${submit}>
      ${children}
      ${fault && html`<p class="notice bad" role="alert">${fault}</p>`}
      <div class="buttons">
        <button class="button" type="button" onClick=${onClose}>Cancel</button>
        <button class="button primary" disabled=${busy}>${action}</button>
      </div>
    </form>
  </${Dialog}>`;
}

// The submission of a form: `submit` for onSubmit, what went wrong in words, and whether it is under way.
export function useSubmit(run) {
  const [state, setState] = useState({ fault: "", busy: false });
  const submit = async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.currentTarget));
    setState({ fault: "", busy: true });
    try {
      await run(values, event);
      setState({ fault: "", busy: false });
    } catch (error) {
      setState({ fault: sentence(error), busy: false });
    }
  };
  return { submit, ...state };
}
