// Small pieces of the account view.
import { html, useState } from "../../vendor/preact.js";
import { copy } from "../../components/clipboard.js";
import { confirm, Dialog } from "../../components/dialog.js";
import { Icon } from "../../components/icons.js";
import { Empty, Failure, Loading } from "../../components/states.js";
import { toastError } from "../../components/toast.js";

// A heading, what the section is for, and its button.
export function Head({ title, text, action, onAction }) {
  return html`<div class="section-title"><div><h2>${title}</h2><p class="soft">${text}</p></div>
    ${action && html`<button class="button primary" onClick=${onAction}><${Icon} name="plus" />${action}</button>`}</div>`;
}

// A list that was loaded by `useResource`, or what stands in its place.
export function Records({ found, empty, children }) {
  if (found.error) return html`<${Failure} error=${found.error} onRetry=${found.reload} />`;
  if (!found.data) return html`<${Loading} />`;
  if (!found.data.length) return html`<${Empty} title=${empty} />`;
  return html`<ul class="records">${found.data.map(children)}</ul>`;
}

export function Copy({ text, label = "Copy" }) {
  return html`<button class="button small" type="button" onClick=${() => copy(text)}><${Icon} name="copy" size=${16} />${label}</button>`;
}

// A secret that no later answer has.
export function ShownOnce({ title, secret, text = "", onClose }) {
  const [kept, setKept] = useState(false);
  return html`<${Dialog} title=${title} closable=${false} onClose=${onClose}>
    <p>This is shown only now. Keep it where nobody else reads it. ${text}</p>
    <div class="secret"><code>${secret}</code><${Copy} text=${secret} /></div>
    <label class="row"><input type="checkbox" checked=${kept} onChange=${(event) => setKept(event.target.checked)} />I have kept it</label>
    <div class="buttons"><button class="button primary" disabled=${!kept} onClick=${onClose}>Close</button></div>
  </${Dialog}>`;
}

// Asks, and then does what cannot be undone; what goes wrong is shown.
export async function agreed(title, options, run) {
  if (!(await confirm(title, { danger: true, ...options }))) return;
  await run().catch(toastError);
}
