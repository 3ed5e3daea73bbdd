// The page of one row: a list of its values where nothing can be changed, else Piccolo's form.

import { ACTIONS, actionButton } from "./actions.js";
import { element, showMessage } from "./elements.js";
import { view } from "./pictures.js";
import { LoggedOut, get } from "./requests.js";
import { readable } from "./values.js";

function json(text) {
  if (!/^[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

function shown(name, value, row, schema) {
  const target = schema.extra?.foreign_key?.to;
  if (target && value !== null) return element("a", { href: `#/${target}/${value}/` }, row[`${name}_readable`] || value);
  const pretty = typeof value === "string" ? json(value) : null;
  if (pretty) return element("pre", {}, pretty);
  return readable(name, value) ?? String(schema.extra?.choices?.[value]?.display_name ?? value);
}

const values = (row, { properties }) => [["id", { title: "ID" }], ...Object.entries(properties)]
  .filter(([name, schema]) => name in row && !schema.extra?.secret && !name.endsWith("_readable"))
  .flatMap(([name, schema]) => [element("dt", {}, schema.title), element("dd", { "data-column": name }, shown(name, row[name], row, schema))]);

async function fill(panel, table, id, schema) {
  try {
    const row = await get(`api/tables/${table}/${id}`, "?__readable=true");
    const action = ACTIONS[table];
    if (action && (action.fits?.(row) ?? true)) panel.append(actionButton(action, [id]));
    panel.append(element("dl", { id: "record" }, ...values(row, schema)));
  } catch (error) {
    if (!(error instanceof LoggedOut)) showMessage(error.message, "bad");
  }
}

// Fields that cannot be changed are neither offered nor sent.
function limitForm(form, columns) {
  for (const field of form.querySelectorAll("input, select, textarea")) {
    if (!columns.includes(field.name)) field.disabled = true;
  }
}

export function decorateRow(table, id, schema, editable) {
  const form = document.querySelector("#app form");
  if (!form) return;
  if (editable.length) return limitForm(form, editable);
  const heading = document.querySelector("#app .header h1");
  if (heading?.textContent.startsWith("Edit ")) heading.textContent = heading.textContent.slice("Edit ".length);
  if (document.querySelector("#row")?.dataset.row === id) return;
  document.querySelector("#row")?.remove();
  const panel = element("div", { id: "row", "data-row": id });
  if (table === "image") panel.append(element("button", { type: "button", class: "whole", title: "Open in full size", onclick: () => view(id) }, element("img", { src: `./admin-api/images/${id}/file/`, alt: "The image" })));
  form.before(panel);
  fill(panel, table, id, schema);
}
