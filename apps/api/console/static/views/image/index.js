import { html } from "../../vendor/preact.js";

export default function ImageView() {
  return html`<div class="view-head"><h1>Image</h1></div>`;
}
