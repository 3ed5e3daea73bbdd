// A batch in the overview, and what can be done about it.
import { html } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { Icon } from "../../components/icons.js";
import { ago } from "../../components/format.js";
import { confirm } from "../../components/dialog.js";
import { toast, toastError } from "../../components/toast.js";
import { forget, isUnderWay, note } from "./feed.js";
import { Counters, downloadOf, Progress, Status } from "./pieces.js";

export function BatchCard({ batch, samples }) {
  return html`<article class="card batch-card">
    <div class="row"><h3><a href="/console/batches/${batch.id}">${batch.filename}</a></h3><${Status} record=${batch} /></div>
    <${Progress} batch=${batch} />
    <${Counters} batch=${batch} samples=${samples} />
    <p class="soft small">${batch.finished_at ? `Ended ${ago(batch.finished_at)}` : `Uploaded ${ago(batch.created_at)}`}</p>
    <${BatchActions} batch=${batch} />
  </article>`;
}

export function BatchActions({ batch, onDeleted = () => {} }) {
  const address = `/api/batches/${batch.id}`;
  const safely = (run) => () => run().catch(toastError);
  const retry = safely(async () => {
    note("batches", [await api.post(`${address}/retry`)]);
    toast("The failed images are tried again", { kind: "good" });
  });
  const remove = safely(async () => {
    const text = isUnderWay(batch) ? "It is still running. Its results are deleted too." : "Its results are deleted too.";
    if (!(await confirm(`Delete the batch ${batch.filename}?`, { text, action: "Delete", danger: true }))) return;
    await api.delete(address);
    forget("batches", batch.id);
    onDeleted();
  });
  return html`<div class="row">
    ${batch.failed > 0 && html`<button class="button small" onClick=${retry}><${Icon} name="retry" size=${16} />Retry failed</button>`}
    <button class="button small" onClick=${safely(() => downloadOf(batch, batch.output_url))}><${Icon} name="download" size=${16} />Table</button>
    ${batch.completed > 0 && html`<button class="button small" onClick=${safely(() => downloadOf(batch, batch.archive_url))}>
      <${Icon} name="download" size=${16} />Images</button>`}
    <button class="button quiet icon small" aria-label="Delete ${batch.filename}" onClick=${remove}><${Icon} name="trash" size=${16} /></button>
  </div>`;
}
