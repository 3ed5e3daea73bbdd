// A box over a picture with handles: dragged by a pointer, moved by arrow keys, resized by Shift and arrow keys.
import { html, useRef } from "../../vendor/preact.js";

const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const LEAST = 1; // pixels of a side

// `box` is { x, y, width, height } in pixels of a picture of `size`, [width, height].
export function CropBox({ box, size, label, onChange }) {
  const drag = useRef(null);
  const sheet = useRef(null);
  const [width, height] = size;
  const start = (event, handle) => {
    event.preventDefault();
    event.stopPropagation();
    event.currentTarget.closest(".crop-box").focus();
    sheet.current.setPointerCapture(event.pointerId);
    drag.current = { handle, x: event.clientX, y: event.clientY, box };
  };
  const moving = (event) => {
    if (!drag.current) return;
    const scale = width / sheet.current.getBoundingClientRect().width;
    const by = [(event.clientX - drag.current.x) * scale, (event.clientY - drag.current.y) * scale];
    onChange(pulled(drag.current.box, drag.current.handle, by, size));
  };
  const keys = (event) => {
    const step = Math.max(1, Math.round(Math.max(width, height) / 100));
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!by || event.altKey) return;
    event.preventDefault();
    onChange(pulled(box, event.shiftKey ? "se" : "all", by, size));
  };
  const edges = { left: `${(100 * box.x) / width}%`, top: `${(100 * box.y) / height}%`, width: `${(100 * box.width) / width}%`, height: `${(100 * box.height) / height}%` };
  return html`<div class="crop-sheet" ref=${sheet} onPointerMove=${moving} onPointerUp=${() => (drag.current = null)} onPointerCancel=${() => (drag.current = null)}>
    <div class="crop-box" style=${edges} tabindex="0" role="group" onKeyDown=${keys} onPointerDown=${(event) => start(event, "all")}
        aria-label="${label}: ${box.width} × ${box.height} at ${box.x}, ${box.y}. Arrow keys move it, Shift and arrow keys resize it.">
      <span class="thirds"></span>${HANDLES.map((handle) => html`<span class="handle ${handle}" onPointerDown=${(event) => start(event, handle)}></span>`)}
    </div></div>`;
}

// The box after its edges that `handle` names were pulled; `all` moves it. It stays within the picture.
export function pulled(box, handle, [dx, dy], [width, height]) {
  if (handle === "all") {
    return { ...box, x: within(box.x + dx, 0, width - box.width), y: within(box.y + dy, 0, height - box.height) };
  }
  let [left, top, right, bottom] = [box.x, box.y, box.x + box.width, box.y + box.height];
  if (handle.includes("w")) left = within(left + dx, 0, right - LEAST);
  if (handle.includes("e")) right = within(right + dx, left + LEAST, width);
  if (handle.includes("n")) top = within(top + dy, 0, bottom - LEAST);
  if (handle.includes("s")) bottom = within(bottom + dy, top + LEAST, height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

const within = (value, low, high) => Math.round(Math.min(Math.max(value, low), Math.max(low, high)));
