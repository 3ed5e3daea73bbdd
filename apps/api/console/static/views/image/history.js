// What an image was made from, and what was made of it.
import { html } from "../../vendor/preact.js";
import { all, api, page, pathOf } from "../../api.js";
import { ago, bytes } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { Failure, Loading } from "../../components/states.js";

const MOST_PARENTS = 20;

export function History({ image, compared, onCompare }) {
  const { data, error, reload } = useResource((signal) => load(image, signal), [image.id, image.md5, image.job_id]);
  if (error) return html`<${Failure} error=${error} onRetry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  const { parents, results, jobs } = data;
  if (!parents.length && !results.length && !jobs.length) return html`<p class="soft">Nothing was made of this image yet.</p>`;
  const row = (one, note) => html`<${Entry} key=${one.id} one=${one} note=${note} current=${compared?.id === one.id} onCompare=${onCompare} />`;
  return html`<div class="stack">
    ${parents.length > 0 && html`<section class="card"><h2>Made from</h2><ol class="entries">${parents.map((one) => row(one))}</ol></section>`}
    ${results.length > 0 && html`<section class="card"><h2>Made of it</h2><ol class="entries">${results.map((one) => row(one, jobs.find((job) => job.result_id === one.id)))}</ol></section>`}
    ${jobs.some((job) => job.status !== "completed") && html`<section class="card"><h2>Not made</h2>
      <ul class="entries">${jobs.filter((job) => job.status !== "completed").map((job) => html`<li key=${job.id}>
        <div><a href="/console/jobs/${job.id}">${steps(job) || job.kind}</a> <span class="badge ${job.status === "failed" ? "bad" : "live"}">${job.status}</span>
        ${job.error && html`<p class="soft small">${job.error}</p>`}</div></li>`)}</ul></section>`}
  </div>`;
}

function Entry({ one, note, current, onCompare }) {
  return html`<li>
    <a href="/console/images/${one.id}" tabindex="-1" aria-hidden="true"><img src=${pathOf(one.thumbnail_url)} alt="" loading="lazy" /></a>
    <div><a href="/console/images/${one.id}">${one.filename}</a>
      <p class="soft small">${steps(note) || one.format.toUpperCase()}, ${one.width} × ${one.height}, ${bytes(one.size_bytes)}, ${ago(one.created_at)}</p></div>
    <button class="button small" aria-pressed=${current} onClick=${() => onCompare(current ? null : one)}>Compare</button>
  </li>`;
}

const steps = (job) => (job?.operations ?? []).map((operation) => operation.op).join(", ");

async function load(image, signal) {
  const [results, jobs] = await Promise.all([
    all("/api/images", { parent: image.id, limit: 100 }),
    page("/api/jobs", { image: image.id, limit: 100 }, { signal }).then((found) => found.items.filter((job) => ["transform", "edit"].includes(job.kind))),
  ]);
  const parents = [];
  for (let id = image.parent; id && parents.length < MOST_PARENTS; ) {
    const parent = await api.get(`/api/images/${id}`, {}, { signal }).catch((error) => (error.status === 404 ? null : Promise.reject(error)));
    if (!parent) break; // it was deleted
    parents.push(parent);
    id = parent.parent;
  }
  return { parents, results, jobs };
}
