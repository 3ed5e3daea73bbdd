// Items that keep failing, and the comparison of object store and database.
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { ago, plural } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { Failure } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { follow } from "../../events.js";
import { Act, Table } from "./pieces.js";

const KINDS = { image: "Remove an image", job: "Publish or end a job", reply: "Reply to an order" };
const DIFFERENCES = {
  missing: "an image without its file",
  stray: "a file without an image",
  attempt: "a file that an earlier attempt left behind",
  uncached: "a rendition without its file; it is rendered again when asked for",
  altered: "a file whose size is not that of its image",
  foreign: "a file that is not Darkroom's",
};

export function Recovery() {
  return html`<${SetAside} /><${Report} />`;
}

function SetAside() {
  const found = useResource(async (signal) => ({ items: await api.get("/api/operator/recovery", {}, { signal }), next: null }), []);
  const retry = async (item) => {
    await api.post(`/api/operator/recovery/${item.id}/retry`);
    toast("It is tried again at once", { kind: "good" });
    await found.reload();
  };
  return html`<section class="stack" aria-labelledby="aside-title">
    <div class="section-head"><h2 id="aside-title">Set aside</h2><div class="filters"><${Act} run=${found.reload}>Load again</${Act}></div></div>
    <p class="soft">What keeps failing although the backends work. Each is tried again after growing pauses.</p>
    <${Table} list=${found} label="Items that are set aside" empty="Nothing is set aside." columns=${["What", "Id", "Reason", "Attempts", "Next", ""]}>${(item) => html`<tr key=${item.id}>
      <td>${KINDS[item.kind] ?? item.kind}</td><td><code>${item.id}</code></td><td class="long">${item.reason}</td><td>${item.attempts}</td><td>${ago(item.retry_at)}</td>
      <td><${Act} run=${() => retry(item)} label="Try ${item.id} again">Try now</${Act}></td></tr>`}</${Table}></section>`;
}

function Report() {
  const [state, setState] = useState({ findings: [], progress: null, running: false, error: null });
  const control = useRef(null);
  useEffect(() => () => control.current?.abort(), []);
  const stop = () => {
    control.current?.abort();
    setState((before) => ({ ...before, running: false }));
  };
  const start = async () => {
    control.current = new AbortController();
    const signal = control.current.signal;
    const set = (change) => signal.aborted || setState((before) => ({ ...before, ...change(before) }));
    setState({ findings: [], progress: null, running: true, error: null });
    const receive = ({ event, data }) => set((before) => (event === "finding" ? { findings: [...before.findings, data] } : { progress: data }));
    await follow("/api/operator/consistency", { signal, onEvent: receive, isLast: ({ event, data }) => event === "progress" && data.done })
      .then(() => set(() => ({ running: false })), (error) => set(() => ({ running: false, error })));
  };
  const { findings, progress, running, error } = state;
  return html`<section class="stack" aria-labelledby="report-title">
    <div class="section-head"><h2 id="report-title">Consistency report</h2><div class="filters">
      ${running ? html`<button class="button small" onClick=${stop}>Stop</button>` : html`<button class="button small primary" onClick=${start}>Compare now</button>`}</div></div>
    <p class="soft">Compares the object store with the database. Nothing is changed: <code>darkroom doctor --mend</code> repairs.</p>
    ${error && html`<${Failure} error=${error} />`}
    ${progress && html`<p role="status">${running ? "So far " : ""}${plural(progress.objects, "file")} and ${plural(progress.rows, "image")} compared, ${plural(progress.findings, "difference")}.${progress.error ? ` It ended early: ${progress.error}` : ""}</p>`}
    ${progress?.done && progress.findings === 0 && !progress.error && html`<p class="notice good">Store and database agree.</p>`}
    ${findings.length > 0 && html`<div class="table-scroll card flat" tabindex="0" role="region" aria-label="Differences"><table class="table">
      <thead><tr><th scope="col">Kind</th><th scope="col">What it is</th><th scope="col">Key</th></tr></thead>
      <tbody>${findings.map((finding) => html`<tr key=${finding.kind + finding.key}><td><span class="badge">${finding.kind}</span></td><td class="long">${DIFFERENCES[finding.kind]}</td><td class="long"><code>${finding.key}</code></td></tr>`)}</tbody></table></div>`}
  </section>`;
}
