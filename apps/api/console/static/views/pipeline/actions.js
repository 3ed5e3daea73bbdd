// What is done with a finished pipeline: run over one image or over the selection, saved as a preset, taken from one.
import { html, useState } from "../../vendor/preact.js";
import { all, api, ApiError } from "../../api.js";
import { Dialog, FormDialog, confirm } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { plural } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { sentence } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { go } from "../../router.js";
import { replaceAll } from "./state.js";

const AT_A_TIME = 4;

export function SavePreset({ operations, onClose }) {
  const save = async ({ name, public: shown }) => {
    const path = `/api/presets/${encodeURIComponent(name)}`;
    const there = await api.get(path).then(() => true, (error) => (error.status === 404 ? false : Promise.reject(error)));
    if (there && !(await confirm(`Replace the preset ${name}?`, { text: "Its addresses show the new result from then on.", action: "Replace" }))) return;
    await api.put(path, { operations, public: Boolean(shown) });
    toast(`Saved as ${name}`, { kind: "good" });
  };
  return html`<${FormDialog} title="Save as a preset" action="Save" onSubmit=${save} onClose=${onClose}>
    <${Field} label="Name" name="name" required maxlength="63" pattern="[a-z][a-z0-9\\-]*" autofocus hint="Letters from a to z, digits and hyphens" />
    <label class="check"><input type="checkbox" name="public" /> Addresses with it open public images without a signature</label>
  </${FormDialog}>`;
}

export function LoadPreset({ onClose }) {
  const { data, error } = useResource(() => all("/api/presets", { limit: 100 }), []);
  const take = (preset) => {
    replaceAll(preset.operations);
    onClose();
  };
  return html`<${Dialog} title="Presets" onClose=${onClose}>
    ${error ? html`<p class="notice bad">${sentence(error)}</p>` : data && data.length === 0 ? html`<p class="soft">There is no preset yet.</p>`
      : html`<ul class="entries">${(data ?? []).map((preset) => html`<li key=${preset.name}><button class="button" onClick=${() => take(preset)}>
          ${preset.name}</button><span class="soft small">${preset.operations.map(({ op }) => op).join(", ")}</span></li>`)}</ul>`}
    <div class="buttons"><button class="button" onClick=${onClose}>Close</button></div>
  </${Dialog}>`;
}

// Runs over images one after another, a few at a time; each request may be repeated without doing its work twice.
export function Run({ ids, operations, onClose }) {
  const [state, setState] = useState({ started: false, done: 0, failed: [] });
  const [keep, setKeep] = useState(true);
  const [run] = useState(() => crypto.randomUUID());
  const start = async () => {
    setState({ started: true, done: 0, failed: [] });
    const waiting = [...ids];
    const jobs = [];
    const worker = async () => {
      for (let id = waiting.shift(); id; id = waiting.shift()) {
        const body = { operations, retention: keep ? "keep" : "ephemeral" };
        try {
          jobs.push(await api.post(`/api/images/${id}/transform`, body, { headers: { "Idempotency-Key": `pipeline-${run}-${id}` } }));
        } catch (error) {
          if (!(error instanceof ApiError || error instanceof TypeError)) throw error;
          setState((before) => ({ ...before, failed: [...before.failed, { id, text: sentence(error) }] }));
        }
        setState((before) => ({ ...before, done: before.done + 1 }));
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    if (ids.length === 1 && jobs.length === 1) {
      onClose();
      toast("The job is queued", { kind: "good", action: { label: "Open", run: () => go(`/jobs/${jobs[0].id}`) } });
    }
  };
  const { started, done, failed } = state;
  const ended = started && done === ids.length;
  return html`<${Dialog} title=${`Run over ${plural(ids.length, "image")}`} onClose=${onClose} closable=${!started || ended}>
    <label class="check"><input type="checkbox" checked=${keep} disabled=${started} onChange=${(event) => setKeep(event.target.checked)} /> Keep the results</label>
    ${!keep && html`<p class="soft small">Each result deletes itself after its download.</p>`}
    ${started && html`<div class="bar ${ended ? "done" : ""}" role="progressbar" aria-valuemin="0" aria-valuemax=${ids.length} aria-valuenow=${done} aria-label="Queued jobs">
      <span style=${{ transform: `scaleX(${done / ids.length})` }}></span></div><p role="status">${plural(done - failed.length, "job")} queued${failed.length ? `, ${failed.length} refused` : ""}</p>`}
    ${failed.length > 0 && html`<ul class="small">${failed.slice(0, 5).map(({ id, text }) => html`<li key=${id}>${text}</li>`)}</ul>`}
    <div class="buttons">${ended ? html`<button class="button" onClick=${onClose}>Close</button><a class="button primary" href="/console/jobs">See the jobs</a>`
      : html`<button class="button" disabled=${started} onClick=${onClose}>Cancel</button><button class="button primary" disabled=${started} onClick=${start}>Run</button>`}</div>
  </${Dialog}>`;
}
