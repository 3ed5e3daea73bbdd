// All batches and jobs: what is under way, what failed and why.
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { Icon } from "../../components/icons.js";
import { Failure, Loading } from "../../components/states.js";
import { plural } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { go } from "../../router.js";
import { isUnderWay, load, useFeed } from "./feed.js";
import { BatchCard } from "./batch-card.js";
import { JobRows } from "./job-rows.js";
import { NewBatch } from "./new-batch.js";
import { Live } from "./pieces.js";

const FILTERS = [["", "All"], ["queued", "Waiting"], ["running", "Running"], ["failed", "Failed"], ["completed", "Done"]];

export function Overview({ query }) {
  const feed = useFeed();
  const [file, setFile] = useState(null);
  const [over, setOver] = useState(false);
  const chooser = useRef(null);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer.files[0]) setFile(event.dataTransfer.files[0]);
  };
  const hover = (event) => {
    event.preventDefault();
    setOver(event.type === "dragover");
  };
  return html`<div class="jobs-view ${over ? "over" : ""}" onDragOver=${hover} onDragLeave=${hover} onDrop=${drop}>
    <div class="view-head"><h1>Jobs</h1><${Live} live=${feed.live} />
      <button class="button primary" onClick=${() => chooser.current.click()}><${Icon} name="upload" />New batch</button>
      <input ref=${chooser} type="file" accept=".csv,.tsv,.txt,text/csv" hidden aria-label="A CSV file"
        onChange=${(event) => { setFile(event.target.files[0] ?? null); event.target.value = ""; }} />
    </div>
    <${Batches} feed=${feed} onChoose=${() => chooser.current.click()} />
    <${Jobs} feed=${feed} status=${query.status ?? ""} />
    ${file && html`<${NewBatch} key=${file.name + file.lastModified} file=${file} onClose=${() => setFile(null)} />`}
  </div>`;
}

function Batches({ feed, onChoose }) {
  const list = useList("batches", "/api/batches", {}, feed);
  const shown = [...list.shown].sort((a, b) => (a.id < b.id ? 1 : -1));
  return html`<section aria-labelledby="batches-title">
    <h2 id="batches-title">Batches</h2>
    ${list.error && html`<${Failure} error=${list.error} onRetry=${list.reload} />`}
    <div class="batch-cards">
      ${shown.map((batch) => html`<${BatchCard} key=${batch.id} batch=${batch} samples=${feed.samples} />`)}
      ${list.complete && html`<button class="drop-here" onClick=${onChoose}>
        <${Icon} name="upload" size=${24} />
        <strong>Drop a CSV file with addresses of images</strong>
        <span class="soft">Each address is fetched and processed; you get the table back with the results.</span>
      </button>`}
    </div>
    <${More} list=${list} what="batches" />
  </section>`;
}

function Jobs({ feed, status }) {
  const list = useList("jobs", "/api/jobs", { status, in_batch: false }, feed);
  const shown = withoutFollowing(list.shown).filter((job) => !status || job.status === status).sort((a, b) => (a.id < b.id ? 1 : -1));
  const underWay = [...feed.jobs.values()].filter(isUnderWay).length;
  return html`<section aria-labelledby="jobs-title">
    <div class="section-head">
      <h2 id="jobs-title">Single jobs</h2>
      <span class="soft">${feed.live && (underWay ? `${plural(underWay, "job")} under way` : "Nothing is under way")}</span>
      <div class="filters" role="group" aria-label="Show">
        ${FILTERS.map(([value, text]) => html`<button class="button quiet small" aria-pressed=${value === status}
          onClick=${() => go(value ? `/jobs?status=${value}` : "/jobs", { replace: true })}>${text}</button>`)}
      </div>
    </div>
    ${list.error && html`<${Failure} error=${list.error} onRetry=${list.reload} />`}
    ${!list.complete && !list.error && html`<${Loading} />`}
    ${list.complete && html`<${JobRows} jobs=${shown} empty=${status ? "No job has this state." : "There are no jobs yet. Uploads with operations make them."} />`}
    <${More} list=${list} what="jobs" />
  </section>`;
}

// A fetch is shown with the job that runs its operations, as one.
function withoutFollowing(jobs) {
  const keyOf = (job) => job.image_id + JSON.stringify(job.operations);
  const fetches = new Set(jobs.filter((job) => job.kind === "ingest" && job.operations && job.image_id).map(keyOf));
  return jobs.filter((job) => job.kind !== "transform" || !fetches.has(keyOf(job)));
}

function More({ list, what }) {
  if (!list.next) return null;
  return html`<button class="button" disabled=${list.busy} onClick=${list.more}>Show older ${what}</button>`;
}

// A list of the API, page by page, whose records the feed keeps up to date; new ones of the feed join it.
function useList(kind, path, query, feed) {
  const [pages, setPages] = useState({ ids: new Set(), next: null, busy: false });
  const first = useResource((signal) => load(kind, path, { ...query, limit: 20 }, { signal }), [path, JSON.stringify(query), feed.reloads]);
  const [oldest, setOldest] = useState("");
  useEffect(() => {
    if (!first.data) return;
    setPages({ ids: new Set(first.data.ids), next: first.data.next, busy: false });
    setOldest(first.data.next ? first.data.ids.at(-1) : "");
  }, [first.data]);
  const more = async () => {
    setPages((before) => ({ ...before, busy: true }));
    const found = await load(kind, pages.next);
    setPages((before) => ({ ids: new Set([...before.ids, ...found.ids]), next: found.next, busy: false }));
    setOldest(found.next ? found.ids.at(-1) : "");
  };
  const shown = [...feed[kind].values()].filter((record) => record.id >= oldest);
  return { ...pages, shown, more, error: first.error, reload: first.reload, complete: Boolean(first.data) };
}
