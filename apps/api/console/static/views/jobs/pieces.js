// Small pieces of the jobs view.
import { html } from "../../vendor/preact.js";
import { api, pathOf } from "../../api.js";
import { duration, statusOf } from "./words.js";
import { plural } from "../../components/format.js";
import { rateOf } from "./feed.js";

export function Status({ record }) {
  const [text, kind] = statusOf(record);
  return html`<span class="badge ${kind}">${text}</span>`;
}

export function Live({ live }) {
  return html`<span class="badge ${live ? "good" : ""}" role="status">${live ? "Live" : "Connecting…"}</span>`;
}

// The part of a batch that is done, and what failed of it.
export function Progress({ batch }) {
  const done = batch.completed + batch.failed;
  const part = batch.total ? done / batch.total : 0;
  const kind = batch.status === "Failed" ? "failed" : batch.status === "Completed" ? "done" : "";
  return html`<div class="bar ${kind}" role="progressbar" aria-label="Progress of ${batch.filename}" aria-valuemin="0"
      aria-valuemax=${batch.total} aria-valuenow=${done}><span style=${{ transform: `scaleX(${part})` }}></span>
    ${batch.completed > 0 && batch.failed > 0 && html`<i style=${{ width: `${(100 * batch.failed) / batch.total}%`, left: `${(100 * batch.completed) / batch.total}%` }}></i>`}</div>`;
}

// "412 of 1,000 done, 3 failed, 12.5 a second, 40 seconds left"
export function Counters({ batch, samples }) {
  const done = batch.completed + batch.failed;
  const rate = rateOf(batch.id, samples);
  return html`<p class="counters">
    <span>${done.toLocaleString("en")} of ${plural(batch.total, "image")}</span>
    ${batch.failed > 0 && html`<span class="bad">${batch.failed.toLocaleString("en")} failed</span>`}
    ${batch.status === "In Process" && rate !== null && html`<span>${rate.toFixed(rate < 10 ? 1 : 0)} a second</span>`}
    ${batch.eta_s !== null && html`<span>${duration(batch.eta_s)} left</span>`}
  </p>`;
}

// Has the browser download a file of a batch, by a ticket, so that it need not fit into memory.
export async function downloadOf(batch, address) {
  const { ticket } = await api.post(`/api/batches/${batch.id}/events/ticket`);
  const link = document.createElement("a");
  link.href = `${pathOf(address)}?ticket=${encodeURIComponent(ticket)}`;
  link.download = "";
  link.click();
}
