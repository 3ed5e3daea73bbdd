// A labelled field of a form.
import { html, useId } from "./hooks.js";

// `fault` is what is wrong with the value. Other properties go to the input; `options` makes a select.
// Without a handler, `value` is what the field begins with: drawing the form again keeps what was entered.
export function Field({ label, hint, fault, options, multiline, value, ...given }) {
  const id = useId();
  const isHeld = given.onChange || given.onInput;
  if (value !== undefined) given = { ...given, [isHeld ? "value" : "defaultValue"]: value };
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ") || undefined;
  const shared = { id, "aria-describedby": described, "aria-invalid": fault ? "true" : undefined, ...given };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${options
      ? html`<select ...${shared}>${options.map(([value, text]) => html`<option value=${value} selected=${value === (given.value ?? given.defaultValue)}>${text}</option>`)}</select>`
      : multiline ? html`<textarea ...${shared}></textarea>` : html`<input ...${shared} />`}
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    ${fault && html`<p class="fault" id="${id}-fault">${fault}</p>`}
  </div>`;
}
