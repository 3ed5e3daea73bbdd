import { html } from "../../vendor/preact.js";

export default function JobsView() {
  return html`<div class="view-head"><h1>Jobs</h1></div>`;
}
