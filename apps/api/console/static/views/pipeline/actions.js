// What is done with a finished pipeline: run over one image or over the selection, saved as a preset, taken from one.
import { html, useState } from "../../vendor/preact.js";
import { all, api } from "../../api.js";
import { Dialog, FormDialog, confirm } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { plural } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { sentence } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { go } from "../../router.js";
import { replaceAll } from "./state.js";

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

// One image is a job; several are a batch, whose progress, failures and files its page shows.
export function Run({ ids, operations, onClose }) {
  const [key] = useState(() => `pipeline-${crypto.randomUUID()}`); // a repeated request does its work once
  const several = ids.length > 1;
  const run = async ({ keep, name }) => {
    const body = { operations, retention: keep ? "keep" : "ephemeral" };
    const options = { headers: { "Idempotency-Key": key } };
    if (several) {
      const batch = await api.post("/api/batches/transform", { ...body, ids: [...ids], name, on_missing_image: "skip" }, options);
      go(`/batches/${batch.id}`);
      return;
    }
    const job = await api.post(`/api/images/${ids[0]}/transform`, body, options);
    toast("The job is queued", { kind: "good", action: { label: "Open", run: () => go(`/jobs/${job.id}`) } });
  };
  return html`<${FormDialog} title=${`Run over ${plural(ids.length, "image")}`} action="Run" onSubmit=${run} onClose=${onClose}>
    ${several && html`<${Field} label="Name of the batch" name="name" value=${plural(ids.length, "image")} required maxlength="255" />`}
    <label class="check"><input type="checkbox" name="keep" checked /> Keep the results</label>
    <p class="soft small">A result that is not kept deletes itself after its download.</p>
  </${FormDialog}>`;
}
