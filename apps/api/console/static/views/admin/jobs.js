// Jobs of all accounts.
import { html } from "../../vendor/preact.js";
import { ago } from "../../components/format.js";
import { Status } from "../jobs/pieces.js";
import { kindOf } from "../jobs/words.js";
import { Choice, Filters, Heading, Table, TextFilter, usePages } from "./pieces.js";

const STATUSES = [["queued", "Waiting"], ["running", "Running"], ["failed", "Failed"], ["completed", "Done"], ["cancelled", "Cancelled"]];
const KINDS = ["transform", "ingest", "describe", "edit", "render"];
const SPANS = [["3600", "The last hour"], ["86400", "The last day"], ["604800", "The last week"]];

export function Jobs({ query }) {
  const { span, ...filters } = query;
  const since = span && new Date(Math.floor(Date.now() / 60_000) * 60_000 - 1000 * span).toISOString();
  const list = usePages("/api/operator/jobs", { ...filters, since });
  return html`<section class="stack" aria-labelledby="jobs-title"><${Heading} id="jobs-title" list=${list}>Jobs</${Heading}>
    <${Filters} at="jobs" query=${query} onReload=${list.reload}>
      <${TextFilter} name="owner" label="Account" query=${query} />
      <${Choice} name="status" label="State" query=${query} values=${STATUSES} />
      <${Choice} name="kind" label="Work" query=${query} values=${KINDS} />
      <${TextFilter} name="error_code" label="Error code" query=${query} />
      <${Choice} name="span" label="Requested" query=${query} values=${SPANS} /></${Filters}>
    <${Table} list=${list} label="Jobs" empty="No job is like that." columns=${["State", "Work", "Account", "Queue", "Attempts", "Requested", "Error"]}>${(job) => html`<tr key=${job.id}>
      <td><${Status} record=${job} /></td>
      <td><a href="/console/admin/jobs/${job.id}">${kindOf(job)} <code>${job.id.slice(-8)}</code></a></td>
      <td><a href="/console/admin/jobs?owner=${encodeURIComponent(job.owner)}">${job.owner}</a></td><td>${job.queue}</td><td>${job.attempts}</td><td class="line">${ago(job.created_at)}</td>
      <td class="long">${job.error_code && html`<code>${job.error_code}</code> <span class="soft">${job.error}</span>`}</td></tr>`}</${Table}></section>`;
}
