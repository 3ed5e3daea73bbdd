// The picture of the pipeline: the live result, the original, or the box that a step has, to be pulled by hand.
import { html, useState } from "../../vendor/preact.js";
import { bytes } from "../../components/format.js";
import { WEB, usePicture } from "../../components/picture.js";
import { Failure, Loading, sentence } from "../../components/states.js";
import { faultsOf } from "./preview.js";
import { CropBox } from "./crop-box.js";
import { change } from "./state.js";

export function PipelineStage({ image, steps, open, live }) {
  const [shown, show] = useState("result");
  const place = steps.findIndex((step) => step.key === open);
  const box = place < 0 ? null : boxOf(steps[place].operation);
  const editing = box !== null && shown !== "original" && shown !== `result of ${open}`;
  return html`<div class="looking">
    <div class="stage pipeline-stage" aria-busy=${live.loading}>
      ${shown === "original" ? html`<${Original} image=${image} />`
        : editing ? html`<${BoxEditor} key=${open} image=${image} before=${steps.slice(0, place)} step=${steps[place]} box=${box} />`
          : live.picture ? html`<img class="checkered result" src=${live.picture.url} alt="The result" />`
            : live.error ? html`<${Failure} title="There is no result." error=${live.error} text=${withoutPicture(live.error)} />` : html`<${Loading} label="Rendering" />`}
      ${live.error && live.picture && html`<p class="notice bad fault-note" role="alert">${noted(live.error)}</p>`}
    </div>
    <div class="row below">
      <button class="button small" aria-pressed=${shown === "original"} onClick=${() => show(shown === "original" ? "result" : "original")}>Original</button>
      ${box && html`<button class="button small" aria-pressed=${editing} onClick=${() => show(editing ? `result of ${open}` : "result")}>Box</button>`}
      <p class="size" role="status">${sizeText(image, live)}</p>
    </div>
  </div>`;
}

// Faults of fields stand at the fields.
function noted(error) {
  const faulty = faultySteps(error);
  return faulty ? `${faulty}; this is the last picture without one.` : sentence(error);
}

function withoutPicture(error) {
  const faulty = faultySteps(error);
  return faulty && `${faulty}.`;
}

function faultySteps(error) {
  const places = Object.keys(faultsOf(error)).map((place) => Number(place) + 1);
  return places.length ? `Step ${places.join(", ")} has a fault` : "";
}

function sizeText(image, { whole, ms, error }) {
  if (error) return "";
  if (!whole) return html`<span class="soft">Original ${bytes(image.size_bytes)}; the result is being measured</span>`;
  const share = Math.round((100 * whole.size) / image.size_bytes);
  const name = whole.type.replace("image/", "").toUpperCase();
  return html`<strong>${bytes(whole.size)}</strong> ${name}, ${share} % of the original’s ${bytes(image.size_bytes)}
    ${ms !== null && html`<span class="soft small" data-draft-ms=${Math.round(ms)}> · draft in ${Math.round(ms)} ms</span>`}`;
}

function Original({ image }) {
  const { picture, error } = usePicture(image.id, { operations: [], draft: true });
  if (error) return html`<${Failure} error=${error} />`;
  return picture ? html`<img class="checkered result" src=${picture.url} alt="The original" />` : html`<${Loading} />`;
}

function BoxEditor({ image, before, step, box }) {
  const first = before.length === 0;
  const operations = before.map(({ operation }) => operation);
  const { picture, error } = usePicture(image.id, first ? { operations, draft: true } : { operations: [...operations, WEB] });
  const [natural, setNatural] = useState(null);
  if (error) return html`<${Failure} error=${error} />`;
  if (!picture) return html`<${Loading} />`;
  const size = natural && (first ? upright(image, natural) : natural);
  return html`<span class="held"><img class="result" src=${picture.url} alt="The picture before this step" onLoad=${(event) => setNatural([event.target.naturalWidth, event.target.naturalHeight])} />
    ${size && html`<${CropBox} box=${box} size=${size} label=${step.operation.op === "crop" ? "What is kept" : "The box"} onChange=${(next) => change(step.key, withBox(step.operation, next))} />`}</span>`;
}

// The size of the picture as it is shown: that of the file, turned if the draft is.
function upright(image, [width, height]) {
  const turned = width > height !== image.width > image.height;
  return turned ? [image.height, image.width] : [image.width, image.height];
}

function boxOf(operation) {
  if (operation.op === "pixelate" && operation.box) return { x: 0, y: 0, ...operation.box };
  if (operation.op !== "crop" || operation.gravity || operation.aspect || !operation.width || !operation.height) return null;
  return { x: operation.x ?? 0, y: operation.y ?? 0, width: operation.width, height: operation.height };
}

const withBox = (operation, box) => (operation.op === "crop" ? { ...operation, ...box } : { ...operation, box });
