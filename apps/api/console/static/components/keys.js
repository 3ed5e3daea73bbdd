// The list of keys that the console knows.
import { html } from "../vendor/preact.js";
import { Dialog } from "./dialog.js";

const KEYS = [
  ["/", "Search"],
  ["?", "Show these keys"],
  ["Esc", "Close, or clear the selection"],
  ["← → ↑ ↓", "Move in the library"],
  ["Space, x", "Select the image"],
  ["Shift + arrow", "Extend the selection"],
  ["Ctrl + a", "Select all that are loaded"],
  ["Enter", "Open the image"],
  ["Delete", "Delete what is selected"],
];

export function Keys({ onClose }) {
  return html`<${Dialog} title="Keys" onClose=${onClose}>
    <dl class="keys">${KEYS.map(([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl>
    <div class="buttons"><button class="button" onClick=${onClose}>Close</button></div>
  </${Dialog}>`;
}
