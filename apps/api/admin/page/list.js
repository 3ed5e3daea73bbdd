// The list of a table's rows. Piccolo reuses its cells for other rows.

import { ACTIONS, actionButton } from "./actions.js";
import { illustrate } from "./pictures.js";
import { readable } from "./values.js";

// Returns what Piccolo has written into a cell; undefined where it has drawn something else than text.
function written(cell) {
  const span = cell.querySelector(":scope > span:not(.readable)");
  if (!span || span.querySelector("a, svg, pre") || span.matches(".boolean")) return undefined;
  return span.querySelector("code") ? null : span.textContent.trim();
}

function showReadable(cell, name) {
  const value = written(cell), key = JSON.stringify([name, value]);
  if (cell.dataset.value === key) return;
  cell.dataset.value = key;
  cell.querySelector(":scope > .readable")?.remove();
  const shown = value === undefined ? null : readable(name, value);
  shown?.classList.add("readable");
  if (shown) cell.append(shown);
  cell.toggleAttribute("data-readable", Boolean(shown));
}

function decorateCell(table, id, cell, name, title) {
  cell.dataset.label = title;
  const link = cell.querySelector('a[href^="#/image/"]')?.getAttribute("href").split("/")[2];
  if (table === "image" && name === "object_key") illustrate(cell, id);
  else if (link && table !== "image") illustrate(cell, link);
  else if (cell.dataset.thumbnailOf) {
    cell.querySelector(".thumbnail")?.remove();
    delete cell.dataset.thumbnailOf;
  }
  showReadable(cell, name);
  const own = cell.querySelector(`a[href="#/${table}/${id}/"]`);
  if (own) Object.assign(own, { title: id }).dataset.short = `… ${id.slice(-6)}`;
  if (name === "status") cell.dataset.status = (written(cell) ?? "").toLowerCase();
}

// Adds a button to the last cell of a row that has an action.
function addAction(table, id, row, values) {
  const action = ACTIONS[table];
  const fits = action && (action.fits?.(values) ?? true);
  const cell = row.cells[row.cells.length - 1];
  const there = cell.querySelector(".act");
  if (there && (!fits || there.dataset.row !== id)) there.remove();
  if (!fits || cell.querySelector(".act")) return;
  cell.prepend(actionButton(action, [id], { "data-row": id }));
}

// Adds one button for all selected rows.
function addActionForSelected(table, ids) {
  const bar = document.querySelector(".title_bar .buttons");
  const action = ACTIONS[table];
  const there = document.querySelector("#act-on-selected");
  if (there?.dataset.rows === ids.join()) return;
  there?.remove();
  if (!bar || !action || !ids.length) return;
  bar.prepend(actionButton(action, ids, { id: "act-on-selected", "data-rows": ids.join() }, `${action.label} (${ids.length})`));
}

export function decorateList(table, schema) {
  const list = document.querySelector(".table_wrapper table");
  if (!list?.tHead) return;
  const names = schema.extra.visible_column_names;
  for (const row of list.tBodies[0]?.rows ?? []) {
    const id = row.querySelector("td input[type=checkbox]")?.value;
    if (!id) continue;
    names.forEach((name, at) => decorateCell(table, id, row.cells[at + 1], name, schema.properties[name]?.title ?? name.toUpperCase()));
    const values = Object.fromEntries(names.map((name, at) => [name, written(row.cells[at + 1])?.toLowerCase()]));
    addAction(table, id, row, values);
  }
  addActionForSelected(table, [...list.querySelectorAll("tbody td:first-child input:checked")].map((box) => box.value));
}
