// The fields of an operation, made from its schema: sliders, choices, colours, points, boxes.
import { html, useState } from "../../vendor/preact.js";
import { useId } from "../../components/hooks.js";
import { ImageChooser } from "../../components/image-chooser.js";
import { firstValue } from "./schema.js";

// `values` is the object that has the fields; `longest` the longer side of the picture; `faults` by path.
export function Fields({ fields, values, onChange, longest, faults = {}, prefix = "" }) {
  const set = (name, value) => {
    const next = { ...values };
    if (value === undefined) delete next[name];
    else next[name] = value;
    onChange(next);
  };
  return html`<div class="fields">${fields.map((field) => html`<${FieldOf} key=${field.name} field=${field} value=${values[field.name]}
    onChange=${(value) => set(field.name, value)} longest=${longest} faults=${faults} path=${prefix + field.name} />`)}</div>`;
}

function FieldOf({ field, value, onChange, longest, faults, path }) {
  const id = useId();
  const fault = faults[path];
  const kind = kindFor(field, value);
  const Control = CONTROLS[kind.type];
  const shown = value ?? field.default;
  const described = [`${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  const optional = !field.required && value !== undefined && kind.type !== "boolean";
  return html`<div class="field kind-${kind.type}">
    <div class="label-row"><label for=${id}>${field.label}</label>
      ${optional && html`<button type="button" class="link" onClick=${() => onChange(undefined)} aria-label=${`Use the default of ${field.label}`}>Default</button>`}</div>
    ${field.kinds.length > 1 && html`<${KindOf} field=${field} kind=${kind} onChange=${onChange} />`}
    <${Control} id=${id} kind=${kind} value=${shown} set=${value !== undefined} onChange=${onChange} longest=${longest} faults=${faults} path=${path}
      label=${field.label} described=${described} invalid=${fault ? "true" : undefined} />
    <p class="hint" id="${id}-hint">${withCode(field.text)}</p>
    ${fault && html`<p class="fault" id="${id}-fault">${withCode(fault)}</p>`}
  </div>`;
}

// What stands between backticks in the descriptions is code.
export function withCode(text) {
  return text.split("`").map((part, place) => (place % 2 ? html`<code>${part}</code>` : part));
}

// Which of its kinds a value is of.
function kindFor(field, value) {
  const given = value ?? field.default;
  const fits = { group: (v) => v && typeof v === "object", choice: (v, kind) => kind.options.includes(v), number: (v) => typeof v === "number" };
  return field.kinds.find((kind) => fits[kind.type]?.(given, kind)) ?? field.kinds[0];
}

// Chooses between a place of a list and a point, or a word and a number.
function KindOf({ field, kind, onChange }) {
  const names = { choice: "A place", group: "A point", number: "A number" };
  return html`<div class="segments" role="group" aria-label="${field.label}: what it is">${field.kinds.map((one) => html`<button type="button" class="segment"
    aria-pressed=${one === kind} onClick=${() => one !== kind && onChange(firstValue(one))}>${names[one.type] ?? one.type}</button>`)}</div>`;
}

const CONTROLS = { number: NumberField, choice: Choice, boolean: Switch, colour: Colour, several: Several, group: Group, image: StoredImage, string: Text };

function NumberField({ id, kind, value, set, onChange, longest, label, described, invalid }) {
  const to = kind.to ?? Math.max(longest, 100);
  const from = kind.from;
  const [typed, type] = useState(null); // while it is being typed: "3." is no number yet
  const given = (text) => {
    if (text === "") return onChange(undefined);
    const number = kind.whole ? Math.round(Number(text)) : Number(text);
    if (Number.isFinite(number)) onChange(number);
  };
  const slid = (text) => given(kind.aboveLow && Number(text) <= kind.low ? String(kind.low + kind.step) : text);
  return html`<div class="number"><input type="range" aria-label="${label}, slider" min=${from} max=${to} step=${kind.step} value=${value ?? (from + to) / 2}
      class=${set ? "" : "unset"} onInput=${(event) => slid(event.target.value)} />
    <input type="number" id=${id} inputmode="decimal" min=${kind.low} max=${kind.high ?? undefined} step=${kind.whole ? 1 : "any"} value=${typed ?? value ?? ""} placeholder="auto"
      aria-describedby=${described} aria-invalid=${invalid} onInput=${(event) => { type(event.target.value); given(event.target.value); }} onBlur=${() => type(null)} /></div>`;
}

function Choice({ id, kind, value, onChange, described, invalid }) {
  const options = value === null || value === undefined ? ["", ...kind.options] : kind.options;
  return html`<select id=${id} value=${value ?? ""} aria-describedby=${described} aria-invalid=${invalid} onChange=${(event) => onChange(event.target.value || undefined)}>
    ${options.map((option) => html`<option value=${option} selected=${option === (value ?? "")}>${option || "auto"}</option>`)}</select>`;
}

function Switch({ id, value, onChange, described }) {
  return html`<input type="checkbox" role="switch" id=${id} checked=${value === true} aria-describedby=${described} onChange=${(event) => onChange(event.target.checked)} />`;
}

function Colour({ id, value, onChange, label, described, invalid }) {
  const [typed, type] = useState(null); // until it is complete
  const hex = /^#[0-9a-f]{6}/i.test(value ?? "") ? value.slice(0, 7) : "#ffffff";
  return html`<div class="colour"><input type="color" aria-label="${label}, picker" value=${hex} onInput=${(event) => onChange(event.target.value)} />
    <input type="text" id=${id} value=${typed ?? value ?? ""} placeholder="none" spellcheck=${false} aria-describedby=${described} aria-invalid=${invalid}
      onInput=${(event) => type(event.target.value)} onChange=${(event) => { type(null); onChange(event.target.value.trim() || undefined); }} /></div>`;
}

function Several({ id, kind, value, onChange, label }) {
  const chosen = value ?? [];
  const toggled = (option) => onChange(chosen.includes(option) ? chosen.filter((one) => one !== option) : [...chosen, option]);
  return html`<div class="row" id=${id} role="group" aria-label=${label}>${kind.options.map((option) => html`<label class="row">
    <input type="checkbox" checked=${chosen.includes(option)} onChange=${() => toggled(option)} />${option}</label>`)}</div>`;
}

function Group({ id, kind, value, set, onChange, longest, faults, path, label }) {
  if (!value) return html`<button type="button" class="button small" id=${id} onClick=${() => onChange(firstValue(kind))}>Choose</button>`;
  return html`<fieldset id=${id} class="group" aria-label=${label} data-set=${set}><${Fields} fields=${kind.fields} values=${value} onChange=${onChange}
    longest=${longest} faults=${faults} prefix="${path}." /></fieldset>`;
}

function StoredImage({ id, value, onChange }) {
  const [choosing, choose] = useState(false);
  return html`<div class="row"><button type="button" class="button small" id=${id} onClick=${() => choose(true)}>${value ? "Choose another" : "Choose an image"}</button>
    ${value && html`<code>${value.slice(0, 13)}…</code>`}
    ${choosing && html`<${ImageChooser} onClose=${() => choose(false)} onChoose=${(image) => { choose(false); onChange(image.id); }} />`}</div>`;
}

function Text({ id, kind, value, onChange, described, invalid }) {
  const shared = { id, "aria-describedby": described, "aria-invalid": invalid, maxlength: kind.longest, value: value ?? "",
    onInput: (event) => onChange(event.target.value || undefined) };
  return kind.long ? html`<textarea rows="2" ...${shared}></textarea>` : html`<input type="text" ...${shared} />`;
}
