// One image of the grid: its thumbnail over its BlurHash, its name, and whether it is selected.
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { ago, plural } from "../../components/format.js";
import { Icon } from "../../components/icons.js";
import { BASE } from "../../router.js";
import { drawBlurHash } from "./blurhash.js";
import { drawThumbnail } from "./thumbnail.js";

const STATES = { pending: "Waiting", processing: "Working", failed: "Failed" };

// A job that only describes the image is of no interest here; one that makes its file is.
const stateOf = ({ status, downloadable }) => (status === "failed" || !downloadable ? STATES[status] : undefined);

const alikeness = (distance) => (distance ? plural(distance, "bit") : "Same look");

export function Tile({ image, index, active, selected, onOpen, onSelect }) {
  const state = stateOf(image);
  const label = `${image.filename}, ${image.width} by ${image.height}`;
  return html`<div class="tile ${selected ? "selected" : ""}">
    <a class="picture" href="${BASE}/images/${image.id}" data-index=${index} tabindex=${active ? 0 : -1} aria-label=${label}
      draggable=${false} onClick=${(event) => onOpen(event, index)}>
      <${Thumbnail} key=${image.thumbnail_url} image=${image} />
      ${state && html`<span class="badge ${image.status === "failed" ? "bad" : "live"}">${state}</span>`}
      ${image.distance !== undefined && !state && html`<span class="badge" title="${image.distance} of 64 bits of the perceptual hashes differ">${alikeness(image.distance)}</span>`}
      ${image.expires_at && image.distance === undefined && !state && html`<span class="badge" title=${image.expires_reason}>expires ${ago(image.expires_at)}</span>`}
    </a>
    <button class="tick" role="checkbox" aria-checked=${selected} aria-label="Select ${image.filename}" tabindex="-1"
      onClick=${(event) => onSelect(event, index)}><${Icon} name="check" size=${16} /></button>
    <div class="name" title=${image.filename}>${image.filename}</div>
  </div>`;
}

// The BlurHash until the thumbnail is there, on one canvas: an <img> would keep each thumbnail that was ever in sight
// decoded, half a megabyte each. One that scrolls away before it arrives is not loaded any further.
function Thumbnail({ image }) {
  const [state, setState] = useState("");
  const canvas = useRef(null);
  useEffect(() => {
    const control = new AbortController();
    const drawn = canvas.current;
    if (image.blurhash) drawBlurHash(image.blurhash, drawn);
    drawThumbnail(image, drawn, control.signal).then(() => setState("loaded"), () => control.signal.aborted || setState("missing"));
    return () => {
      control.abort();
      drawn.width = 0; // gives its pixels back at once, not when garbage is collected
    };
  }, []);
  if (state === "missing") return html`<span class="missing"><${Icon} name="warning" /></span>`;
  return html`<canvas ref=${canvas} class=${state} width="16" height="16" aria-hidden="true"></canvas>`;
}
