import { html } from "../../vendor/preact.js";

export default function AccountView() {
  return html`<div class="view-head"><h1>Account</h1></div>`;
}
