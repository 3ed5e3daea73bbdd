// One job: what was asked for, what became of it.
import { html } from "../../vendor/preact.js";
import { api, pathOf } from "../../api.js";
import { useResource } from "../../components/hooks.js";
import { moment, plural } from "../../components/format.js";
import { Failure, Loading } from "../../components/states.js";
import { note, useFeed } from "./feed.js";
import { JobActions } from "./job-rows.js";
import { Live, Status } from "./pieces.js";
import { kindOf, tookOf, workOf } from "./words.js";

export function JobPage({ id }) {
  const feed = useFeed();
  const first = useResource(async (signal) => {
    const job = await api.get(`/api/jobs/${id}`, {}, { signal });
    note("jobs", [job]);
    return job;
  }, [id, feed.reloads]);
  const job = feed.jobs.get(id);
  if (first.error) return html`<${Failure} title="This job is not here." error=${first.error} onRetry=${first.reload} />`;
  if (!job) return html`<${Loading} />`;
  return html`<div class="jobs-view">
    <nav class="crumb" aria-label="Above"><a href="/console/jobs">Jobs</a></nav>
    <div class="view-head"><h1>${workOf(job)}</h1><${Status} record=${job} /><${Live} live=${feed.live} /></div>
    ${job.status === "failed" && html`<div class="notice bad" role="alert"><div>
      <strong>${job.error}</strong><p>${" "}The code <a href="/errors/${job.error_code}" target="_blank">${job.error_code}</a> says what to do.</p></div></div>`}
    <div class="job-page">
      <${Pictures} job=${job} />
      <div class="card stack">
        <${JobActions} job=${job} small="" />
        <${Facts} job=${job} />
        ${job.operations && html`<div><h2>Operations</h2><pre class="code" tabindex="0">${written(job.operations)}</pre></div>`}
      </div>
    </div>
  </div>`;
}

// The operations without what they leave open.
function written(operations) {
  return JSON.stringify(operations, (_, value) => value ?? undefined, 2);
}

function Facts({ job }) {
  const facts = [
    ["Work", kindOf(job)],
    ["Requested", moment(job.created_at)],
    ["Begun", job.started_at && moment(job.started_at)],
    ["Ended", job.finished_at && moment(job.finished_at)],
    ["Took", tookOf(job)],
    ["Attempts", plural(job.attempts, "attempt")],
    ["Priority", job.priority === "bulk" ? "Behind interactive jobs" : "Interactive"],
    ["Id", html`<code>${job.id}</code>`],
  ];
  return html`<dl class="facts">${facts.filter(([, value]) => value).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function Pictures({ job }) {
  return html`<div class="pictures">
    ${job.image_id && html`<${Picture} id=${job.image_id} label="Before" />`}
    ${job.result_id && job.result_id !== job.image_id && html`<${Picture} id=${job.result_id} label="After" />`}
    ${!job.image_id && !job.result_id && html`<p class="soft nothing">There is no picture yet.</p>`}
  </div>`;
}

function Picture({ id, label }) {
  const { data: image, error } = useResource((signal) => api.get(`/api/images/${id}`, {}, { signal }), [id]);
  if (error) return html`<figure class="picture"><p class="soft nothing">${label}: the image is not here any longer.</p></figure>`;
  if (!image) return html`<figure class="picture"><${Loading} /></figure>`;
  return html`<figure class="picture"><a href="/console/images/${id}"><img src=${pathOf(image.thumbnail_url)} alt=${image.filename} /></a>
    <figcaption>${label}: ${image.filename}, ${image.width} × ${image.height}</figcaption></figure>`;
}
