// One image of the grid: its thumbnail over its BlurHash, its name, and whether it is selected.
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { pathOf } from "../../api.js";
import { ago } from "../../components/format.js";
import { Icon } from "../../components/icons.js";
import { BASE } from "../../router.js";
import { drawBlurHash } from "./blurhash.js";

const STATES = { pending: "Waiting", processing: "Working", failed: "Failed" };

// A job that only describes the image is of no interest here; one that makes its file is.
const stateOf = ({ status, downloadable }) => (status === "failed" || !downloadable ? STATES[status] : undefined);

export function Tile({ image, index, active, selected, onOpen, onSelect }) {
  const state = stateOf(image);
  const label = `${image.filename}, ${image.width} by ${image.height}`;
  return html`<div class="tile ${selected ? "selected" : ""}">
    <a class="picture" href="${BASE}/images/${image.id}" data-index=${index} tabindex=${active ? 0 : -1} aria-label=${label}
      draggable=${false} onClick=${(event) => onOpen(event, index)}>
      ${image.blurhash && html`<${Placeholder} hash=${image.blurhash} />`}
      <${Thumbnail} key=${image.thumbnail_url} src=${pathOf(image.thumbnail_url)} />
      ${state && html`<span class="badge ${image.status === "failed" ? "bad" : "live"}">${state}</span>`}
      ${image.expires_at && !state && html`<span class="badge" title=${image.expires_reason}>expires ${ago(image.expires_at)}</span>`}
    </a>
    <button class="tick" role="checkbox" aria-checked=${selected} aria-label="Select ${image.filename}" tabindex="-1"
      onClick=${(event) => onSelect(event, index)}><${Icon} name="check" size=${16} /></button>
    <div class="name" title=${image.filename}>${image.filename}</div>
  </div>`;
}

function Placeholder({ hash }) {
  const canvas = useRef(null);
  useEffect(() => drawBlurHash(hash, canvas.current), [hash]);
  return html`<canvas ref=${canvas} width="16" height="16" aria-hidden="true"></canvas>`;
}

// A thumbnail that scrolls away before it arrives is not loaded any further.
function Thumbnail({ src }) {
  const [state, setState] = useState("");
  const picture = useRef(null);
  useEffect(() => {
    const image = picture.current;
    return () => image.complete || image.removeAttribute("src");
  }, []);
  if (state === "missing") return html`<span class="missing"><${Icon} name="warning" /></span>`;
  return html`<img ref=${picture} class=${state} src=${src} alt="" decoding="async" draggable=${false}
    onLoad=${() => setState("loaded")} onError=${() => setState("missing")} />`;
}
