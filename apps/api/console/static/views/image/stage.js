// The large picture: zoom and pan by wheel, pointer and keys; a click sets the focal point while that is asked for.
import { html, useRef, useState } from "../../vendor/preact.js";
import { Icon } from "../../components/icons.js";
import { SCREEN, WEB, usePicture } from "../../components/picture.js";
import { Failure, Loading } from "../../components/states.js";

const MOST = 8;
const SHARP_FROM = 1.5; // above which the full resolution is asked for
const STEP = 60; // pixels of a pan by key
const HOME = { scale: 1, x: 0, y: 0 };

export function Stage({ image, focus, pick, onPick }) {
  const [view, setView] = useState(HOME);
  const fitting = usePicture(image.id, { operations: SCREEN });
  const sharp = usePicture(view.scale > SHARP_FROM ? image.id : null, { operations: [WEB] });
  const shown = (view.scale > SHARP_FROM && sharp.picture) || fitting.picture;
  const drag = useRef(null);
  const frame = useRef(null);

  const zoomed = (factor, at) => setView((before) => zoomAt(before, factor, at));
  const wheel = (event) => {
    event.preventDefault();
    zoomed(event.deltaY < 0 ? 1.2 : 1 / 1.2, fromMiddle(event, frame.current));
  };
  const keys = (event) => {
    const pans = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    if (event.key === "+" || event.key === "=") zoomed(1.25);
    else if (event.key === "-") zoomed(0.8);
    else if (event.key === "0") setView(HOME);
    else if (pick && pans[event.key]) onPick(nudged(focus, event.key));
    else if (pans[event.key] && view.scale > 1) setView((v) => ({ ...v, x: v.x + pans[event.key][0], y: v.y + pans[event.key][1] }));
    else return;
    event.preventDefault();
  };
  const down = (event) => {
    if (event.button || event.target.closest("button")) return;
    drag.current = { x: event.clientX, y: event.clientY, moved: false };
    frame.current.setPointerCapture(event.pointerId);
  };
  const move = (event) => {
    if (!drag.current) return;
    const [dx, dy] = [event.clientX - drag.current.x, event.clientY - drag.current.y];
    if (!drag.current.moved && Math.hypot(dx, dy) < 4) return;
    drag.current = { x: event.clientX, y: event.clientY, moved: true };
    setView((v) => (v.scale > 1 ? { ...v, x: v.x + dx, y: v.y + dy } : v));
  };
  const up = (event) => {
    const clicked = drag.current && !drag.current.moved;
    drag.current = null;
    const at = clicked && pick && within(event, frame.current.querySelector("img"));
    if (at) onPick(at);
  };
  if (fitting.error && !shown) return html`<div class="stage"><${Failure} title="This picture cannot be shown." error=${fitting.error} /></div>`;
  return html`<div class="stage ${pick ? "picking" : ""}" ref=${frame} tabindex="0" role="group"
      aria-label=${pick ? "Picture: click, or use the arrow keys, to set the focal point" : "Picture: + and - zoom, 0 fits, arrow keys move"}
      onWheel=${wheel} onKeyDown=${keys} onPointerDown=${down} onPointerMove=${move} onPointerUp=${up}
      onDblClick=${(event) => pick || zoomed(view.scale > 1 ? 1 / view.scale : 3, fromMiddle(event, frame.current))}>
    ${shown ? html`<div class="sheet" style=${{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}>
      <span class="held"><img class="checkered" src=${shown.url} alt=${image.filename} draggable=${false} />
        ${focus && html`<span class="focus-mark" style=${{ left: `${100 * focus.x}%`, top: `${100 * focus.y}%`, transform: `scale(${1 / view.scale})` }}></span>`}</span>
    </div>` : html`<${Loading} label="Rendering" />`}
    <div class="zoom row">
      <button class="button icon small" aria-label="Zoom out" onClick=${() => zoomed(0.8)}>−</button>
      <button class="button small" aria-label=${`Fit: now ${Math.round(100 * view.scale)} %`} onClick=${() => setView(HOME)}>${Math.round(100 * view.scale)} %</button>
      <button class="button icon small" aria-label="Zoom in" onClick=${() => zoomed(1.25)}><${Icon} name="plus" size=${16} /></button>
    </div>
  </div>`;
}

// Scales around a point, given from the middle of the stage; without one, around the middle.
function zoomAt(view, factor, [x, y] = [0, 0]) {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor));
  if (scale === 1) return HOME;
  const ratio = scale / view.scale;
  return { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
}

function fromMiddle(event, element) {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
}

// Where a pointer is on a picture, as fractions of it; null beside it.
function within(event, picture) {
  const box = picture.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  return x < 0 || y < 0 || x > 1 || y > 1 ? null : { x: rounded(x), y: rounded(y) };
}

function nudged(focus, key) {
  const { x, y } = focus ?? { x: 0.5, y: 0.5 };
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  return { x: rounded(clamp(x + dx / 100)), y: rounded(clamp(y + dy / 100)) };
}

const clamp = (value) => Math.min(1, Math.max(0, value));
const rounded = (value) => Math.round(value * 10000) / 10000;
