// Named lists of operations.
import { html, useState } from "../../vendor/preact.js";
import { all, api } from "../../api.js";
import { FormDialog } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { ago } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { agreed, Head, Records } from "./pieces.js";

export function Presets() {
  const found = useResource(() => all("/api/presets"), []);
  const [asked, setAsked] = useState(null);
  const save = async (values) => {
    const kept = asked.name ? { cache: asked.cache, formats: asked.formats, fallback: asked.fallback } : {};
    const body = { ...kept, operations: operationsOf(values.operations), public: Boolean(values.public) };
    await api.put(`/api/presets/${encodeURIComponent(values.name ?? asked.name)}`, body);
    found.reload();
  };
  const remove = (preset) => agreed(`Delete the preset ${preset.name}?`, { text: "Addresses and uploads with it are refused.", action: "Delete" }, async () => {
    await api.delete(`/api/presets/${encodeURIComponent(preset.name)}`);
    found.reload();
  });
  return html`<section class="stack"><${Head} title="Presets" text="A preset names a list of operations, for uploads, batches and addresses." action="New preset" onAction=${() => setAsked({})} />
    <${Records} found=${found} empty="There are no presets. The pipeline makes them with a preview.">${(preset) => html`<li key=${preset.name}>
      <div><strong>${preset.name}</strong> ${preset.public && html`<span class="badge">Public</span>`}
        <p class="soft small">${preset.operations.map((step) => step.op.replaceAll("_", " ")).join(", ") || "No operations"}; changed ${ago(preset.updated_at)}</p></div>
      <div class="row"><a class="button small" href="/console/pipeline?preset=${encodeURIComponent(preset.name)}">Open in the pipeline</a>
        <button class="button small" onClick=${() => setAsked(preset)} aria-label="Change ${preset.name}">Change</button>
        <button class="button small danger" onClick=${() => remove(preset)} aria-label="Delete ${preset.name}">Delete</button></div></li>`}</${Records}>
    ${asked && html`<${FormDialog} title=${asked.name ? `The preset ${asked.name}` : "New preset"} action="Save" wide onSubmit=${save} onClose=${() => setAsked(null)}>
      ${!asked.name && html`<${Field} label="Name" name="name" required />`}
      <${Field} label="Operations" name="operations" multiline rows="10" class="mono" spellcheck="false" hint="A JSON list, run in order."
        defaultValue=${JSON.stringify(asked.operations ?? [{ op: "resize", width: 800 }], (_, value) => value ?? undefined, 2)} />
      <label class="row"><input type="checkbox" name="public" defaultChecked=${asked.public} />Public: addresses with it open public images without a signature</label>
    </${FormDialog}>`}</section>`;
}

function operationsOf(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`the operations are no JSON: ${error.message}`);
  }
}
