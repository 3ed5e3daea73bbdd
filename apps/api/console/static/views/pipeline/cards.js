// The operations as cards: opened, changed, removed, and moved by hand, by buttons or by Alt and an arrow key.
import { html, useState } from "../../vendor/preact.js";
import { Icon } from "../../components/icons.js";
import { useStore } from "../../store.js";
import { Fields, withCode } from "./fields.js";
import { change, move, pipeline, remove } from "./state.js";

export function Cards({ byName, longest, faults }) {
  const { steps, open } = useStore(pipeline);
  const [dragged, drag] = useState(null);
  const [over, hover] = useState(null);
  const toggle = (key) => pipeline.set((state) => ({ ...state, open: state.open === key ? null : key }));
  const drop = (place) => {
    const from = steps.findIndex((step) => step.key === dragged);
    if (from >= 0 && from !== place) move(dragged, place);
    drag(null);
    hover(null);
  };
  return html`<ol class="cards" aria-label="Operations, in order">${steps.map((step, place) => html`<li key=${step.key}
      class="op-card ${dragged === step.key ? "dragged" : ""} ${over === place && dragged !== step.key ? "over" : ""}"
      onDragOver=${(event) => { if (dragged !== null) { event.preventDefault(); hover(place); } }} onDrop=${(event) => { event.preventDefault(); drop(place); }}
      onKeyDown=${(event) => byKey(event, step, place)}>
    <div class="op-head" draggable onDragStart=${(event) => { event.dataTransfer.setData("text/plain", String(step.key)); drag(step.key); }} onDragEnd=${() => { drag(null); hover(null); }}>
      <button class="op-title" aria-expanded=${open === step.key} onClick=${() => toggle(step.key)}>
        <span class="grip" aria-hidden="true">⠿</span><span class="name">${byName[step.operation.op].title}</span><span class="soft small brief">${brief(step.operation)}</span>
        ${faults[place] && html`<span class="badge bad">Fault</span>`}</button>
      <button class="button icon small quiet" aria-label=${`Move ${named(step, place)} up`} disabled=${place === 0} onClick=${() => move(step.key, place - 1)}><${Icon} name="up" size=${16} /></button>
      <button class="button icon small quiet" aria-label=${`Move ${named(step, place)} down`} disabled=${place === steps.length - 1} onClick=${() => move(step.key, place + 1)}><${Icon} name="down" size=${16} /></button>
      <button class="button icon small quiet" aria-label=${`Remove ${named(step, place)}`} onClick=${() => remove(step.key)}><${Icon} name="close" size=${16} /></button>
    </div>
    ${open === step.key && html`<div class="op-body"><p class="soft small">${withCode(firstSentence(byName[step.operation.op].text))}</p>
      ${byName[step.operation.op].fields.length === 0 && html`<p class="small">It has no settings.</p>`}
      <${Fields} fields=${byName[step.operation.op].fields} values=${step.operation} longest=${longest} faults=${faults[place] ?? {}}
        onChange=${(operation) => change(step.key, operation)} /></div>`}
  </li>`)}</ol>`;
}

function byKey(event, step, place) {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!by || !event.altKey) return;
  event.preventDefault();
  move(step.key, place + by);
}

const named = (step, place) => `${step.operation.op}, step ${place + 1}`;

// "800 × 600, cover"
function brief({ op, width, height, ...others }) {
  const size = width && height ? [`${width} × ${height}`] : width ? [`${width} wide`] : height ? [`${height} high`] : [];
  const rest = Object.entries(others).filter(([, value]) => ["string", "number"].includes(typeof value)).map(([, value]) => value);
  return [...size, ...rest].slice(0, 3).join(", ");
}

const firstSentence = (text) => `${text.split(/[.;](?:\s|$)/)[0]}.`;
