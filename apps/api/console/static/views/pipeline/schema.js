// The schema of the operations, read for forms: what kind of field each property is, and what it starts with.
import { api } from "../../api.js";

const WIDE = 1000; // a range whose slider goes only as far as the picture
const SOFT = { angle: [-180, 180], rotate: [-180, 180], sigma: [0, 50], radius: [0, 50], scale: [0, 2] };

let loading = null;

// Resolves to { operations: [{ name, title, text, fields }], byName }, loaded once.
export function loadOperations() {
  loading ??= api.get("/api/operations").then(read, (error) => {
    loading = null;
    throw error;
  });
  return loading;
}

function read(schema) {
  const part = (ref) => schema.$defs[ref.split("/").at(-1)];
  const operations = schema.oneOf.map(({ $ref }) => {
    const found = part($ref);
    const name = found.properties.op.enum[0];
    return { name, title: titled(name), text: found.description, fields: fieldsOf(found, part) };
  });
  return { operations, byName: Object.fromEntries(operations.map((one) => [one.name, one])) };
}

function fieldsOf(struct, part) {
  return Object.entries(struct.properties).filter(([name]) => name !== "op")
    .map(([name, property]) => fieldOf(name, property, (struct.required ?? []).includes(name), part));
}

// { name, label, text, kinds, required, default }: `kinds` are the values that it takes beside none.
function fieldOf(name, property, required, part) {
  const variants = (property.anyOf ?? [property]).filter((one) => one.type !== "null");
  return {
    name, required, label: titled(name), text: property.description ?? "", default: property.default ?? null,
    kinds: merged(variants.map((one) => kindOf(name, one, part))),
  };
}

function kindOf(name, schema, part) {
  const found = schema.$ref ? { ...part(schema.$ref), ...schema } : schema;
  if (found.enum) return { type: "choice", options: found.enum };
  if (found.format === "color") return { type: "colour" };
  if (found.format === "uuid") return { type: "image" };
  if (found.type === "object") return { type: "group", title: found.title, fields: fieldsOf(found, part) };
  if (found.type === "array") return { type: "several", options: found.items.enum };
  if (found.type === "integer" || found.type === "number") return { type: "number", ...rangeOf(name, found) };
  return { type: found.type, longest: found.maxLength, long: name === "text" };
}

function rangeOf(name, { type, minimum, maximum, exclusiveMinimum }) {
  const whole = type === "integer";
  const low = minimum ?? exclusiveMinimum ?? 0;
  const high = maximum ?? null;
  const [from, to] = SOFT[name] && high > SOFT[name][1] ? SOFT[name] : [low, high];
  const step = whole ? 1 : to !== null && to - from <= 2 ? 0.01 : to - from <= 20 ? 0.1 : 0.5;
  return { whole, low, high, from: Math.max(from, low), to: high > WIDE && !SOFT[name] ? null : to, step, aboveLow: exclusiveMinimum !== undefined };
}

// Enumerations become one choice; other kinds stay as they are.
function merged(kinds) {
  const options = kinds.filter((kind) => kind.type === "choice").flatMap((kind) => kind.options);
  const others = kinds.filter((kind) => kind.type !== "choice");
  return options.length ? [{ type: "choice", options }, ...others] : others;
}

const titled = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

// An operation with values that show at once what it does, for an image of this size.
export function started(name, [width, height], byName) {
  const start = STARTS[name]?.(width, height) ?? {};
  for (const field of byName[name].fields) {
    if (field.required && start[field.name] === undefined) start[field.name] = firstValue(field.kinds[0]);
  }
  return { op: name, ...start };
}

// Where the defaults of the schema do nothing, or are not enough.
const STARTS = {
  resize: (width) => ({ width: Math.min(width, 800) }),
  crop: (width, height) => ({ x: Math.round(width / 10), y: Math.round(height / 10), width: Math.ceil(width * 0.8), height: Math.ceil(height * 0.8) }),
  pad: () => ({ top: 40, right: 40, bottom: 40, left: 40, color: "white" }),
  rotate: () => ({ angle: 90 }),
  watermark: () => ({ text: "© Darkroom", size: 48, margin: 24, opacity: 0.8 }),
  brightness: () => ({ factor: 1.2 }), contrast: () => ({ factor: 1.2 }), saturation: () => ({ factor: 1.4 }), gamma: () => ({ gamma: 1.2 }),
  round_corners: (width, height) => ({ radius: Math.max(1, Math.round(Math.min(width, height) / 10)) }),
  tint: () => ({ color: "#a34207" }),
  duotone: () => ({ shadow: "#1b1b3a", highlight: "#ffd9a0" }),
  compress: () => ({ quality: 80 }), convert: () => ({ format: "webp", quality: 80 }),
  frames: () => ({ frame: 0 }), metadata: () => ({ mode: "keep" }),
};

export function firstValue(kind) {
  switch (kind.type) {
    case "number": return kind.whole ? Math.max(1, kind.low) : round((kind.from + (kind.to ?? kind.from + 1)) / 2);
    case "choice": return kind.options[0];
    case "boolean": return true;
    case "colour": return "#808080";
    case "several": return kind.options.slice(0, 1);
    case "group": return Object.fromEntries(kind.fields.map((field) => [field.name, field.name.length > 1 ? 100 : firstValue(field.kinds[0])]));
    default: return "";
  }
}

const round = (value) => Math.round(value * 100) / 100;
