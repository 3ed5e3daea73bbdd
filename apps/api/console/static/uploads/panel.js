// The list of uploads in the corner: a bar each, pause and retry.
import { html, useState } from "../vendor/preact.js";
import { bytes, plural } from "../components/format.js";
import { Icon } from "../components/icons.js";
import { BASE } from "../router.js";
import { useStore } from "../store.js";
import { clearEnded, pauseAll, pauseUpload, removeUpload, resumeAll, retryAll, retryUpload, uploads } from "./queue.js";

const SHOWN = 60;
const FIRST = ["failed", "refused", "sending", "offline", "paused", "waiting", "checking", "done"]; // in this order
const ACTIVE = ["checking", "waiting", "sending", "offline"];

export function UploadPanel() {
  const all = useStore(uploads);
  const [open, setOpen] = useState(true);
  if (!all.length) return null;
  const count = (...states) => all.filter(({ state }) => states.includes(state)).length;
  const done = count("done");
  const shown = [...all].sort((a, b) => FIRST.indexOf(a.state) - FIRST.indexOf(b.state)).slice(0, SHOWN);
  return html`<section class="uploads" aria-label="Uploads">
    <header>
      <button class="button quiet small title" aria-expanded=${open} onClick=${() => setOpen(!open)}>
        <${Icon} name=${open ? "down" : "up"} size=${16} /> ${summary(done, all.length, count("failed", "refused"))}
      </button>
      ${count(...ACTIVE) > 0 && html`<button class="button quiet small" onClick=${pauseAll}>Pause all</button>`}
      ${count("paused") > 0 && html`<button class="button quiet small" onClick=${resumeAll}>Resume</button>`}
      ${count("failed") > 0 && html`<button class="button quiet small" onClick=${retryAll}>Retry failed</button>`}
      ${count(...ACTIVE, "paused", "failed") === 0 && html`<button class="button quiet small" onClick=${clearEnded}>Close</button>`}
    </header>
    <div class="bar ${done === all.length ? "done" : ""}" role="progressbar" aria-label="All uploads" aria-valuenow=${Math.round(100 * overall(all))} aria-valuemin="0" aria-valuemax="100">
      <span style=${{ transform: `scaleX(${overall(all)})` }}></span></div>
    <p class="hidden-label" role="status">${summary(done, all.length, count("failed", "refused"))}</p>
    ${open && html`<ul tabindex="0" aria-label="Files">${shown.map((one) => html`<${Row} key=${one.id} upload=${one} />`)}
      ${all.length > SHOWN && html`<li class="small soft">and ${plural(all.length - SHOWN, "more upload", "more uploads")}</li>`}</ul>`}
  </section>`;
}

function summary(done, total, failed) {
  return `${done} of ${plural(total, "upload")}${failed ? `, ${failed} failed` : ""}`;
}

function overall(all) {
  const parts = all.map(({ state, progress }) => (["done", "refused", "failed"].includes(state) ? 1 : progress));
  return parts.reduce((sum, part) => sum + part, 0) / parts.length;
}

function Row({ upload: { id, name, size, state, progress, fault, image } }) {
  const bad = state === "failed" || state === "refused";
  return html`<li class="upload ${state}">
    <div class="name" title=${name}>${image ? html`<a href="${BASE}/images/${image.id}">${image.filename}</a>` : name}</div>
    <div class="small ${bad ? "fault" : "soft"}">${bad ? fault : said(state, size, progress)}</div>
    ${!bad && state !== "done" && html`<div class="bar"><span style=${{ transform: `scaleX(${progress})` }}></span></div>`}
    <div class="acts">
      ${["waiting", "sending", "offline"].includes(state) && html`<${Act} icon="pause" label="Pause ${name}" run=${() => pauseUpload(id)} />`}
      ${state === "paused" && html`<${Act} icon="play" label="Resume ${name}" run=${() => retryUpload(id)} />`}
      ${state === "failed" && html`<${Act} icon="retry" label="Retry ${name}" run=${() => retryUpload(id)} />`}
      <${Act} icon="close" label="Remove ${name} from the list" run=${() => removeUpload(id)} />
    </div>
  </li>`;
}

function Act({ icon, label, run }) {
  return html`<button class="button quiet icon small" aria-label=${label} title=${label} onClick=${run}><${Icon} name=${icon} size=${16} /></button>`;
}

function said(state, size, progress) {
  if (state === "done") return "Uploaded";
  if (state === "paused") return "Paused";
  if (state === "offline") return "Waits for the connection";
  if (state === "sending") return size ? `${bytes(size * progress)} of ${bytes(size)}` : "The server fetches it";
  return size ? bytes(size) : "Waiting";
}
