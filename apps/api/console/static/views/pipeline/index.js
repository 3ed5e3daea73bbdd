import { html } from "../../vendor/preact.js";

export default function PipelineView() {
  return html`<div class="view-head"><h1>Pipeline</h1></div>`;
}
