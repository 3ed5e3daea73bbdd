// One batch: its counters, what failed by cause, and its table.
import { html, useState } from "../../vendor/preact.js";
import { request } from "../../api.js";
import { useResource } from "../../components/hooks.js";
import { bytes, moment } from "../../components/format.js";
import { Failure, Loading } from "../../components/states.js";
import { go } from "../../router.js";
import { BatchActions } from "./batch-card.js";
import { isUnderWay, note, useFeed } from "./feed.js";
import { Counters, Live, Progress, Status } from "./pieces.js";

const FILTERS = [["", "All"], ["failed", "Failed"], ["completed", "Done"], ["pending", "Waiting"]];
const READINGS = 20;

export function BatchPage({ id }) {
  const feed = useFeed();
  const [status, setStatus] = useState("");
  const known = feed.batches.get(id);
  const details = useResource((signal) => detailsOf(id, status, signal), [id, status, feed.reloads, stepOf(known)]);
  if (details.error && !known) return html`<${Failure} title="This batch is not here." error=${details.error} onRetry=${details.reload} />`;
  if (!known) return html`<${Loading} />`;
  return html`<div class="jobs-view">
    <nav class="crumb" aria-label="Above"><a href="/console/jobs">Jobs</a></nav>
    <div class="view-head"><h1>${known.filename}</h1><${Status} record=${known} /><${Live} live=${feed.live} /></div>
    <div class="card stack">
      <${Progress} batch=${known} /><${Counters} batch=${known} samples=${feed.samples} />
      <${BatchActions} batch=${known} onDeleted=${() => go("/jobs")} />
      <p class="soft small">${summaryOf(known)}</p>
    </div>
    ${details.data && html`<${Causes} errors=${details.data.errors} />`}
    <section aria-labelledby="items-title">
      <div class="section-head"><h2 id="items-title">Images</h2>
        <div class="filters" role="group" aria-label="Show">${FILTERS.map(([value, text]) => html`
          <button class="button quiet small" aria-pressed=${value === status} onClick=${() => setStatus(value)}>${text}</button>`)}</div>
      </div>
      ${details.data ? html`<${Items} details=${details} />` : html`<${Loading} />`}
    </section>
  </div>`;
}

// Changes when the table of the batch is worth reading again: some twenty times, and at its end.
function stepOf(batch) {
  if (!batch) return "";
  if (!isUnderWay(batch)) return batch.finished_at;
  return Math.floor((READINGS * (batch.completed + batch.failed)) / Math.max(READINGS, batch.total));
}

function summaryOf(batch) {
  const saved = batch.bytes_before > 0 && batch.completed > 0 ? `, ${bytes(batch.bytes_before)} became ${bytes(batch.bytes_after)}` : "";
  const steps = batch.operations.map((step) => step.op.replaceAll("_", " ")).join(", ");
  return `Uploaded ${moment(batch.created_at)}${saved}. Operations: ${steps || "none"}.`;
}

async function detailsOf(id, status, signal) {
  const found = await batchPage(`/api/batches/${id}`, { status, limit: 50 }, signal);
  const { items, errors, ...batch } = found.detail;
  note("batches", [batch]);
  return { items, errors, next: found.next };
}

async function batchPage(path, query, signal) {
  const answer = await request("GET", path, { query, signal });
  const next = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get("Link") ?? "");
  return { detail: await answer.json(), next: next && next[1] };
}

function Causes({ errors }) {
  const causes = Object.entries(errors);
  if (!causes.length) return null;
  return html`<section class="card" aria-labelledby="causes-title"><h2 id="causes-title">Why images failed</h2>
    <ul class="causes">${causes.map(([code, count]) => html`<li><span class="badge bad">${count.toLocaleString("en")}</span>
      <a href="/errors/${code}" target="_blank">${code.replaceAll("_", " ")}</a></li>`)}</ul></section>`;
}

function Items({ details }) {
  const { items, next } = details.data;
  if (!items.length) return html`<p class="soft nothing">No image of the batch has this state.</p>`;
  const more = async () => {
    const found = await batchPage(next);
    details.setData((before) => ({ ...before, items: [...before.items, ...found.detail.items], next: found.next }));
  };
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Images of the batch"><table class="table items">
    <thead><tr><th>No.</th><th>Product</th><th>Address</th><th>State</th><th>Result</th></tr></thead>
    <tbody>${items.map((item) => html`<tr key=${item.id}>
      <td>${item.serial_number}</td><td>${item.product_name}</td>
      <td class="address">${item.input_url}</td>
      <td><${Status} record=${item} />${item.error && html`<p class="bad small">${item.error}</p>`}</td>
      <td>${item.output_id && html`<a href="/console/images/${item.output_id}">Open</a>`}</td></tr>`)}</tbody>
  </table></div>
  ${next && html`<button class="button" onClick=${more}>Show more</button>`}`;
}
