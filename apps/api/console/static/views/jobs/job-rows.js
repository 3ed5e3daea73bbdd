// A table of jobs, with what can be done about each.
import { html } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { Icon } from "../../components/icons.js";
import { toast, toastError } from "../../components/toast.js";
import { isUnderWay, note } from "./feed.js";
import { Status } from "./pieces.js";
import { storyOf, workOf } from "./words.js";

export function JobRows({ jobs, empty }) {
  if (!jobs.length) return html`<p class="soft nothing">${empty}</p>`;
  return html`<ul class="job-rows">${jobs.map((job) => html`<${JobRow} key=${job.id} job=${job} />`)}</ul>`;
}

function JobRow({ job }) {
  return html`<li class="job-row">
    <${Status} record=${job} />
    <div class="what">
      <a href="/console/jobs/${job.id}">${workOf(job)}</a>
      <p class=${job.status === "failed" ? "bad" : "soft"}>${storyOf(job)}</p>
    </div>
    <${JobActions} job=${job} />
  </li>`;
}

export function JobActions({ job, small = "small" }) {
  const act = (call, said) => async () => {
    try {
      note("jobs", [await call()]);
      toast(said, { kind: "good" });
    } catch (error) {
      toastError(error);
    }
  };
  const address = `/api/jobs/${job.id}`;
  return html`<div class="row">
    ${job.status === "failed" && html`<button class="button ${small}" onClick=${act(() => api.post(`${address}/retry`), "The job runs again")}>
      <${Icon} name="retry" size=${16} />Retry</button>`}
    ${isUnderWay(job) && html`<button class="button ${small}" onClick=${act(() => api.delete(address), "The job is cancelled")}>
      <${Icon} name="close" size=${16} />Cancel</button>`}
    ${job.result_id && html`<a class="button ${small}" href="/console/images/${job.result_id}">Result</a>`}
  </div>`;
}
