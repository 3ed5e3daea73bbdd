// The pipeline: operations as cards, and at once what they make of an image.
import { html, useEffect, useMemo, useState } from "../../vendor/preact.js";
import { api, page, pathOf } from "../../api.js";
import { CopyAs } from "../../components/copy-as.js";
import { useResource } from "../../components/hooks.js";
import { ImageChooser } from "../../components/image-chooser.js";
import { Empty, Failure, Loading } from "../../components/states.js";
import { loadStyle } from "../../components/style.js";
import { plural } from "../../components/format.js";
import { selection, useStore } from "../../store.js";
import { go } from "../../router.js";
import { LoadPreset, Run, SavePreset } from "./actions.js";
import { Cards } from "./cards.js";
import { faultsOf, useLivePreview } from "./preview.js";
import { PipelineStage } from "./stage.js";
import { loadOperations, started } from "./schema.js";
import { add, operationsOf, pipeline, replaceAll } from "./state.js";

await loadStyle("views/image.css");
await loadStyle("views/pipeline.css");

export default function PipelineView({ query }) {
  const schema = useResource(loadOperations, []);
  const { data: image, error, reload } = useResource((signal) => sourceOf(query.image, signal), [query.image]);
  useEffect(() => {
    if (image) pipeline.set((state) => ({ ...state, image: image.id }));
  }, [image?.id]);
  const failed = schema.error ?? error;
  if (failed) return html`<div class="view-head"><h1>Pipeline</h1></div><${Failure} error=${failed} onRetry=${() => { schema.reload(); reload(); }} />`;
  if (!schema.data || image === null) return html`<${Loading} />`;
  if (image === false) return html`<div class="view-head"><h1>Pipeline</h1></div>
    <${Empty} title="There is no image to work on yet."><a class="button primary" href="/console/library">Go to the library</a></${Empty}>`;
  return html`<${Editor} schema=${schema.data} image=${image} />`;
}

// The image of the address, else the first one of the selection, else the one of last time, else the newest; false without any.
async function sourceOf(asked, signal) {
  for (const id of [asked, [...selection.get()][0], pipeline.get().image].filter(Boolean)) {
    const found = await api.get(`/api/images/${id}`, {}, { signal }).catch((error) => (error.status === 404 && id !== asked ? null : Promise.reject(error)));
    if (found) return found;
  }
  return (await page("/api/images", { limit: 1 }, { signal })).items[0] ?? false;
}

function Editor({ schema, image }) {
  const { steps, open } = useStore(pipeline);
  const selected = useStore(selection);
  const [dialog, setDialog] = useState(null);
  const operations = useMemo(() => operationsOf(steps), [steps]);
  const live = useLivePreview(image.id, operations);
  const faults = faultsOf(live.error);
  const size = [image.width, image.height];
  const close = () => setDialog(null);
  const many = selected.size > 0 && !(selected.size === 1 && selected.has(image.id));
  return html`
    <div class="view-head">
      <h1>Pipeline</h1>
      <div class="row">
        <button class="button" onClick=${() => setDialog("presets")}>Presets</button>
        <button class="button" disabled=${!steps.length} onClick=${() => setDialog("save")}>Save as a preset</button>
        ${many && html`<button class="button" disabled=${!steps.length} onClick=${() => setDialog("all")}>Run over ${plural(selected.size, "image")}</button>`}
        <button class="button primary" disabled=${!steps.length} onClick=${() => setDialog("one")}>Run</button>
      </div>
    </div>
    <div class="image-view pipeline-view">
      <${PipelineStage} image=${image} steps=${steps} open=${open} live=${live} />
      <div class="knowing">
        <div class="row source"><img src=${pathOf(image.thumbnail_url)} alt="" />
          <a href="/console/images/${image.id}">${image.filename}</a><button class="button small" onClick=${() => setDialog("image")}>Another image</button></div>
        <${Cards} byName=${schema.byName} longest=${Math.max(...size)} faults=${faults} />
        <${AddOperation} schema=${schema} onAdd=${(name) => add(started(name, size, schema.byName))} />
        ${steps.length > 0 && html`<button class="link" onClick=${() => replaceAll([])}>Remove all operations</button>
          <details class="card copy"><summary>Copy as curl, JSON, URL, command line, Python</summary><${CopyAs} image=${image} operations=${operations} /></details>`}
      </div>
    </div>
    ${dialog === "image" && html`<${ImageChooser} onClose=${close} onChoose=${(one) => { close(); go(`/pipeline?image=${one.id}`, { replace: true }); }} />`}
    ${dialog === "presets" && html`<${LoadPreset} onClose=${close} />`}
    ${dialog === "save" && html`<${SavePreset} operations=${operations} onClose=${close} />`}
    ${dialog === "one" && html`<${Run} ids=${[image.id]} operations=${operations} onClose=${close} />`}
    ${dialog === "all" && html`<${Run} ids=${[...selected]} operations=${operations} onClose=${close} />`}`;
}

function AddOperation({ schema, onAdd }) {
  const [text, setText] = useState("");
  const found = schema.operations.filter(({ name, title, text: about }) => `${name} ${title} ${about}`.toLowerCase().includes(text.trim().toLowerCase()));
  const exact = schema.operations.filter(({ title }) => title.toLowerCase().startsWith(text.trim().toLowerCase()));
  const shown = text && exact.length ? [...exact, ...found.filter((one) => !exact.includes(one))] : found;
  return html`<section class="adder" aria-label="Add an operation">
    <input class="input" type="search" placeholder="Add an operation" aria-label="Search operations" value=${text} onInput=${(event) => setText(event.target.value)}
      onKeyDown=${(event) => { if (event.key === "Enter" && shown[0]) { onAdd(shown[0].name); setText(""); } }} />
    <div class="names">${shown.map(({ name, title, text: about }) => html`<button class="button small" key=${name} title=${about.split(/[.;]/)[0]} onClick=${() => { onAdd(name); setText(""); }}>${title}</button>`)}</div>
  </section>`;
}
