// The state of the whole site, live.
import { html, useEffect, useState } from "../../vendor/preact.js";
import { follow } from "../../events.js";
import { bytes, plural } from "../../components/format.js";
import { Failure, Loading } from "../../components/states.js";
import { Live } from "../jobs/pieces.js";
import { duration } from "../jobs/words.js";
import { Sparkline } from "./sparkline.js";

export function Overview() {
  const { site, live, error } = useSite();
  if (error) return html`<${Failure} error=${error} />`;
  if (!site) return html`<${Loading} />`;
  return html`<section class="stack" aria-labelledby="overview-title">
    <div class="section-head"><h2 id="overview-title">Overview</h2><${Live} live=${live} /></div>
    <${Tiles} site=${site} />
    <div class="halves">
      <${Queues} site=${site} />
      <${Failures} failures=${site.failures} />
      <${Stored} site=${site} />
      <${Others} totals=${site.totals} />
    </div></section>`;
}

function useSite() {
  const [state, setState] = useState({ site: null, live: false, error: null });
  useEffect(() => {
    const control = new AbortController();
    const set = (change) => control.signal.aborted || setState((before) => ({ ...before, ...change }));
    follow("/api/operator/events", {
      signal: control.signal,
      onEvent: ({ data }) => set({ site: data, live: true }),
      onState: (isOpen) => isOpen || set({ live: false }),
    }).catch((error) => set({ error, live: false }));
    return () => control.abort();
  }, []);
  return state;
}

function Tiles({ site }) {
  const total = (name) => site.queues.reduce((sum, queue) => sum + queue[name], 0);
  const of = (name) => site.minutes.map((minute) => minute[name]);
  const sum = (name) => of(name).reduce((all, one) => all + one, 0);
  const oldest = site.queues.map((queue) => queue.oldest_waiting_at).filter(Boolean).sort()[0];
  const size = site.stored.reduce((all, one) => all + one.size_bytes, 0);
  const images = site.stored.reduce((all, one) => all + one.images, 0);
  return html`<div class="site-tiles">
    <${Tile} title="Waiting" value=${total("waiting") + total("held")} text=${`${total("running").toLocaleString("en")} running`}>
      <${Sparkline} values=${of("unfinished")} label="Unfinished jobs of the last hour" /></${Tile}>
    <${Tile} title="Oldest waiting job" value=${oldest ? duration(ageS(site, oldest)) : "None"} text=${oldest ? "since it was requested" : "nothing waits"} />
    <${Tile} title="Completed in an hour" value=${sum("completed")} text=${plural(sum("requested"), "job")  + " requested"}>
      <${Sparkline} values=${of("completed")} label="Jobs completed a minute" kind="good" /></${Tile}>
    <${Tile} title="Failed in an hour" value=${sum("failed")} text=${`${site.failures.reduce((all, one) => all + one.jobs, 0).toLocaleString("en")} in a day`}>
      <${Sparkline} values=${of("failed")} label="Jobs failed a minute" kind="bad" /></${Tile}>
    <${Tile} title="Stored" value=${bytes(size)} text=${plural(images, "image")} />
    <${Tile} title="Set aside" value=${site.totals.set_aside} text="items that keep failing" href="/console/admin/recovery" />
  </div>`;
}

function Tile({ title, value, text, href, children }) {
  const shown = typeof value === "number" ? value.toLocaleString("en") : value;
  return html`<div class="card site-tile"><h3>${href ? html`<a href=${href}>${title}</a>` : title}</h3>
    <p class="amount">${shown}</p><p class="soft small">${text}</p>${children}</div>`;
}

function ageS(site, moment) {
  return Math.max(0, (new Date(site.at) - new Date(moment)) / 1000);
}

function Queues({ site }) {
  return html`<section class="card stack" aria-labelledby="queues-title"><h3 id="queues-title">Queues</h3>
    ${site.queues.length ? html`<div class="table-scroll" tabindex="0" role="region" aria-labelledby="queues-title"><table class="table numbers">
      <thead><tr><th scope="col">Queue</th><th scope="col">Work</th><th scope="col">Waiting</th><th scope="col">Held</th><th scope="col">Running</th><th scope="col">Oldest</th></tr></thead>
      <tbody>${site.queues.map((queue) => html`<tr key=${queue.kind + queue.priority}>
        <td>${queue.queue}</td><td>${queue.kind}</td>
        <td>${queue.waiting.toLocaleString("en")}</td><td>${queue.held.toLocaleString("en")}</td><td>${queue.running.toLocaleString("en")}</td>
        <td>${queue.oldest_waiting_at ? duration(ageS(site, queue.oldest_waiting_at)) : "–"}</td></tr>`)}</tbody></table></div>`
      : html`<p class="soft">No job waits or runs.</p>`}</section>`;
}

function Failures({ failures }) {
  const most = Math.max(1, ...failures.map((one) => one.jobs));
  return html`<section class="card stack" aria-labelledby="failures-title"><h3 id="failures-title">Failures of a day by code</h3>
    ${failures.length ? html`<ul class="failure-bars">${failures.map((one) => html`<li key=${one.error_code}>
      <a href="/console/admin/jobs?error_code=${encodeURIComponent(one.error_code)}">${one.error_code}</a>
      <span class="amount">${one.jobs.toLocaleString("en")}</span>
      <span class="bar failed" aria-hidden="true"><span style=${{ transform: `scaleX(${one.jobs / most})` }}></span></span></li>`)}</ul>`
      : html`<p class="soft">No job failed within a day.</p>`}</section>`;
}

function Stored({ site }) {
  return html`<section class="card stack" aria-labelledby="stored-title"><h3 id="stored-title">Storage</h3>
    <div class="table-scroll" tabindex="0" role="region" aria-labelledby="stored-title"><table class="table numbers"><thead><tr><th scope="col">Status</th><th scope="col">Retention</th><th scope="col">Images</th><th scope="col">Size</th></tr></thead>
      <tbody>${site.stored.map((one) => html`<tr key=${one.status + one.retention}><td>${one.status}</td><td>${one.retention}</td>
        <td>${one.images.toLocaleString("en")}</td><td>${bytes(one.size_bytes)}</td></tr>`)}
        <tr><td>Renditions</td><td>cache</td><td></td><td>${bytes(site.totals.rendition_bytes)}</td></tr></tbody></table></div></section>`;
}

function Others({ totals }) {
  const facts = [
    ["Active accounts", totals.accounts, "accounts"],
    ["Open batches", totals.open_batches, "batches"],
    ["Deliveries that wait", totals.pending_deliveries, "deliveries?status=pending"],
    ["Deliveries given up", totals.failed_deliveries, "deliveries?status=failed"],
  ];
  return html`<section class="card stack" aria-labelledby="others-title"><h3 id="others-title">Accounts, batches, webhooks</h3>
    <dl class="facts wide">${facts.map(([name, count, to]) => html`<div key=${name}><dt><a href="/console/admin/${to}">${name}</a></dt><dd>${count.toLocaleString("en")}</dd></div>`)}</dl></section>`;
}
