// One job of any account: what happened to it, and what can be done.
import { html, useEffect } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { follow } from "../../events.js";
import { useResource } from "../../components/hooks.js";
import { Failure, Loading, sentence } from "../../components/states.js";
import { moment } from "../../components/format.js";
import { toast } from "../../components/toast.js";
import { agreed, Copy } from "../account/pieces.js";
import { Status } from "../jobs/pieces.js";
import { kindOf, tookOf } from "../jobs/words.js";
import { Act } from "./pieces.js";

const UNDER_WAY = ["queued", "running"];
const EVENTS = {
  queued: "Requested",
  claimed: "Claimed",
  retry: "The attempt failed; it is tried again",
  deferred: "The host asked for a pause",
  released: "Its worker stopped",
  lapsed: "Its worker was lost",
  published: "Its message was sent again",
  run_again: "Run again by a person",
  completed: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

export function JobPage({ id }) {
  const address = `/api/operator/jobs/${id}`;
  const found = useResource((signal) => api.get(address, {}, { signal }), [id]);
  const isUnderWay = UNDER_WAY.includes(found.data?.status);
  useEffect(() => {
    if (!isUnderWay) return undefined;
    const control = new AbortController();
    const ended = ({ data }) => !UNDER_WAY.includes(data.status);
    follow(`${address}/events`, { signal: control.signal, onEvent: ({ data }) => found.setData(data), isLast: ended }).catch(() => {});
    return () => control.abort();
  }, [id, isUnderWay]);
  if (found.error) return html`<${Failure} title="This job is not here." error=${found.error} onRetry=${found.reload} />`;
  if (!found.data) return html`<${Loading} />`;
  const job = found.data;
  const retry = async () => {
    found.setData(await api.post(`${address}/retry`));
    toast("The job runs again", { kind: "good" });
  };
  const cancel = () => agreed(`Cancel this job of ${job.owner}?`, { text: "Its result is not kept.", action: "Cancel the job" }, async () => found.setData(await api.delete(address)));
  return html`<section class="stack" aria-labelledby="job-title">
    <nav class="crumb" aria-label="Above"><a href="/console/admin/jobs">Jobs</a></nav>
    <div class="section-head"><h2 id="job-title">${kindOf(job)} for ${job.owner}</h2><${Status} record=${job} />
      <div class="filters">
        ${job.status === "failed" && html`<${Act} run=${retry}>Retry</${Act}>`}
        ${isUnderWay && html`<${Act} run=${cancel} kind="danger">Cancel</${Act}>`}
        <${Act} run=${found.reload}>Load again</${Act}></div></div>
    ${job.status === "failed" && html`<div class="notice bad" role="alert"><div><strong>${sentence({ message: job.error })}</strong>
      <p>The code <a href="/errors/${job.error_code}" target="_blank">${job.error_code}</a> says what to do.</p></div></div>`}
    <div class="halves">
      <section class="card stack" aria-labelledby="timeline-title">
        <div class="section-head"><h3 id="timeline-title">Timeline</h3><${Copy} text=${logOf(job)} label="Copy as text" /></div>
        <${Timeline} entries=${job.timeline} />
        <p class="soft small">Lines in the logs of the processes have <code>job_id</code> <code>${job.id}</code>.</p></section>
      <section class="card stack" aria-labelledby="facts-title"><h3 id="facts-title">Facts</h3><${Facts} job=${job} /></section>
    </div>
    <section class="card stack" aria-labelledby="command-title"><h3 id="command-title">Command</h3><pre class="code" tabindex="0" role="region" aria-label="Command">${written(job.command)}</pre></section>
  </section>`;
}

function Timeline({ entries }) {
  return html`<ol class="timeline">${entries.map((entry, nth) => html`<li key=${nth} class=${kindOfEntry(entry)}>
    <p><strong>${EVENTS[entry.event] ?? entry.event}</strong>${entry.attempt && ` for attempt ${entry.attempt}`}${entry.worker && html` by <code>${entry.worker}</code>`}</p>
    <p class="soft small"><time datetime=${entry.at}>${precise(entry.at)}</time>${nth > 0 && `, ${lasted(entry, entries[nth - 1])}`}</p>
    ${entry.error_code && html`<p class="small"><code>${entry.error_code}</code> ${entry.error}</p>`}
    ${entry.not_before && html`<p class="soft small">Not before ${precise(entry.not_before)}</p>`}</li>`)}</ol>`;
}

function kindOfEntry({ event }) {
  if (event === "failed") return "bad";
  return event === "completed" ? "good" : ["retry", "lapsed", "deferred"].includes(event) ? "warned" : "";
}

function precise(time) {
  return `${moment(time)} (${new Date(time).toISOString().slice(11, 23)} UTC)`;
}

function lasted({ at, waited_s: waited, took_s: took }, before) {
  if (took !== null) return `ran ${span(took)}`;
  if (waited !== null) return `waited ${span(waited)}`;
  return `${span(Math.max(0, (new Date(at) - new Date(before.at)) / 1000))} later`;
}

function span(seconds) {
  return seconds < 100 ? `${seconds.toFixed(seconds < 10 ? 2 : 1)} s` : `${Math.round(seconds / 60)} min`;
}

// The timeline as lines of a log, to send to others.
function logOf({ id, timeline }) {
  return timeline.map(({ at, event, ...fields }) => {
    const given = Object.entries({ job_id: id, ...fields }).filter(([, value]) => value !== null);
    return [new Date(at).toISOString(), event, ...given.map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(" ");
  }).join("\n");
}

function Facts({ job }) {
  const facts = [
    ["Id", html`<code>${job.id}</code>`],
    ["Account", html`<a href="/console/admin/jobs?owner=${encodeURIComponent(job.owner)}">${job.owner}</a>`],
    ["Queue", job.queue],
    ["Took", tookOf(job)],
    ["Attempts", String(job.attempts)],
    ["Crashes", job.crashes ? String(job.crashes) : ""],
    ["Worker", job.worker && html`<code>${job.worker}</code>`],
    ["Lease until", job.lease_until && moment(job.lease_until)],
    ["Not before", job.not_before && moment(job.not_before)],
    ["Image", job.image_id && html`<a href="/console/admin/images?id=${job.image_id}"><code>${job.image_id}</code></a>`],
    ["Result", job.result_id && html`<a href="/console/admin/images?id=${job.result_id}"><code>${job.result_id}</code></a>`],
    ["Batch", job.batch_id && html`<a href="/console/admin/batches/${job.batch_id}"><code>${job.batch_id}</code></a>`],
    ["Request", job.request_id && html`<code>${job.request_id}</code>`],
  ];
  return html`<dl class="facts">${facts.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function written(command) {
  try {
    return JSON.stringify(JSON.parse(command), (_, value) => value ?? undefined, 2);
  } catch {
    return command;
  }
}
