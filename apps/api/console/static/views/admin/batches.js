// Batches of all accounts, and one of them.
import { html } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { ago, bytes, moment } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { Failure, Loading } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { go } from "../../router.js";
import { agreed } from "../account/pieces.js";
import { Progress, Status } from "../jobs/pieces.js";
import { Act, Choice, Filters, Heading, Table, TextFilter, usePages } from "./pieces.js";

const STATUSES = [["Pending", "Waiting"], ["In Process", "Running"], ["Completed", "Done"], ["Failed", "Failed"]];

export function Batches({ query }) {
  const list = usePages("/api/operator/batches", query);
  return html`<section class="stack" aria-labelledby="batches-title"><${Heading} id="batches-title" list=${list}>Batches</${Heading}>
    <${Filters} at="batches" query=${query} onReload=${list.reload}>
      <${TextFilter} name="owner" label="Account" query=${query} />
      <${Choice} name="status" label="State" query=${query} values=${STATUSES} /></${Filters}>
    <${Table} list=${list} label="Batches" empty="No batch is like that." columns=${["State", "File", "Account", "Done", "Failed", "Uploaded"]}>${(batch) => html`<tr key=${batch.id}>
      <td><${Status} record=${batch} /></td>
      <td class="long"><a href="/console/admin/batches/${batch.id}">${batch.filename}</a></td>
      <td><a href="/console/admin/batches?owner=${encodeURIComponent(batch.owner)}">${batch.owner}</a></td>
      <td>${batch.completed.toLocaleString("en")} of ${batch.total.toLocaleString("en")}</td><td>${batch.failed.toLocaleString("en")}</td><td class="line">${ago(batch.created_at)}</td></tr>`}</${Table}></section>`;
}

export function BatchPage({ id }) {
  const address = `/api/operator/batches/${id}`;
  const found = useResource((signal) => api.get(address, {}, { signal }), [id]);
  if (found.error) return html`<${Failure} title="This batch is not here." error=${found.error} onRetry=${found.reload} />`;
  if (!found.data) return html`<${Loading} />`;
  const batch = found.data;
  const retry = async () => {
    found.setData(await api.post(`${address}/retry`));
    toast("The failed images are tried again", { kind: "good" });
  };
  const remove = () => agreed(`Delete the batch ${batch.filename} of ${batch.owner}?`, { text: "Its results are deleted too.", action: "Delete" }, async () => {
    await api.delete(address);
    go("/admin/batches");
  });
  return html`<section class="stack" aria-labelledby="batch-title">
    <nav class="crumb" aria-label="Above"><a href="/console/admin/batches">Batches</a></nav>
    <div class="section-head"><h2 id="batch-title">${batch.filename} of ${batch.owner}</h2><${Status} record=${batch} />
      <div class="filters">${batch.failed > 0 && html`<${Act} run=${retry}>Retry failed</${Act}>`}
        <${Act} run=${found.reload}>Load again</${Act}><${Act} run=${remove} kind="danger">Delete</${Act}></div></div>
    <div class="card stack"><${Progress} batch=${batch} />
      <p>${batch.completed.toLocaleString("en")} of ${batch.total.toLocaleString("en")} done, ${batch.failed.toLocaleString("en")} failed; ${bytes(batch.bytes_before)} fetched. Uploaded ${moment(batch.created_at)}.</p>
      ${Object.keys(batch.errors).length > 0 && html`<ul class="causes">${Object.entries(batch.errors).map(([code, count]) => html`<li key=${code}><span class="badge bad">${count.toLocaleString("en")}</span><code>${code}</code></li>`)}</ul>`}</div>
    <div class="table-scroll card flat" tabindex="0" role="region" aria-label="The first images of the batch"><table class="table">
      <thead><tr><th scope="col">No.</th><th scope="col">Product</th><th scope="col">Address</th><th scope="col">State</th><th scope="col">Job</th></tr></thead>
      <tbody>${batch.items.map((item) => html`<tr key=${item.id}><td>${item.serial_number}</td><td class="long">${item.product_name}</td><td class="long">${item.input_url}</td>
        <td><${Status} record=${item} /> ${item.error_code && html`<code>${item.error_code}</code>`}</td>
        <td>${item.job_id && html`<a href="/console/admin/jobs/${item.job_id}">Open</a>`}</td></tr>`)}</tbody></table></div></section>`;
}
