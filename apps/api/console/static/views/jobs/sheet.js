// The beginning of a table, and every row with a fault, whose cells can be corrected.
import { html } from "../../vendor/preact.js";
import { plural } from "../../components/format.js";
import { COLUMNS, plain } from "./csv.js";

const FIRST_ROWS = 6;

export function Sheet({ sheet, chosen, faults, onChange }) {
  const byLine = grouped(faults);
  const shown = sheet.rows.filter((row, nth) => nth < FIRST_ROWS || byLine.has(row.line));
  const used = new Map(COLUMNS.map(({ name, label }) => [chosen[name], label]));
  const columns = Math.max(sheet.header.length, ...shown.map((row) => row.cells.length));
  return html`<div class="stack">
    <p class="soft small" role="status">${faults.length
      ? `${plural(faults.length, "fault")}${faults.length >= 100 ? " or more" : ""}: correct the marked cells, or choose another file.`
      : `${plural(sheet.rows.length, "row")}; the first are shown.`}</p>
    <div class="table-scroll sheet" tabindex="0" role="region" aria-label="Table"><table class="table">
      <thead><tr><th scope="col">Line</th>${Array.from({ length: columns }, (_, at) => html`
        <th scope="col" class=${used.has(at) ? "used" : ""}>${sheet.header[at] ?? ""}${used.has(at) && plain(sheet.header[at] ?? "") !== plain(used.get(at)) && html`<span class="badge">${used.get(at)}</span>`}</th>`)}</tr>
        ${ofLine(byLine, sheet.line)}</thead>
      <tbody>${shown.map((row, nth) => html`
        ${nth > 0 && shown[nth - 1] !== sheet.rows[sheet.rows.indexOf(row) - 1] && html`<tr class="gap"><td colspan=${columns + 1}>…</td></tr>`}
        <${Row} key=${row.line} row=${row} columns=${columns} sheet=${sheet} chosen=${chosen} faults=${byLine.get(row.line) ?? []} onChange=${onChange} />`)}</tbody>
    </table></div>
  </div>`;
}

function Row({ row, columns, sheet, chosen, faults, onChange }) {
  const at = faults.map((fault) => ({ ...fault, at: positionOf(fault.column, sheet.header, chosen) }));
  const whole = at.filter((fault) => fault.at < 0);
  return html`<tr class=${faults.length ? "faulty" : ""}>
    <th scope="row">${row.line}</th>
    ${Array.from({ length: columns }, (_, column) => {
      const here = at.filter((fault) => fault.at === column);
      if (!here.length && !whole.length) return html`<td><div class="cell">${row.cells[column] ?? ""}</div></td>`;
      return html`<td class=${here.length ? "fault" : ""}><input class="input" value=${row.cells[column] ?? ""} aria-invalid=${here.length ? "true" : undefined}
        aria-label="${sheet.header[column] ?? `Column ${column + 1}`}, line ${row.line}" onChange=${(event) => onChange(row, column, event.target.value)} />
        ${here.map((fault) => html`<p class="bad small">${fault.reason}</p>`)}</td>`;
    })}
  </tr>
  ${whole.map((fault) => html`<tr class="faulty"><td></td><td colspan=${columns} class="bad small">${fault.reason}</td></tr>`)}`;
}

function ofLine(byLine, line) {
  return (byLine.get(line) ?? []).map((fault) => html`<tr class="faulty"><td></td><td colspan="99" class="bad small">${fault.column}: ${fault.reason}</td></tr>`);
}

// Where a fault's column is: it is named by the header, or as the server calls it.
function positionOf(column, header, chosen) {
  if (column === null) return -1;
  const at = header.indexOf(column);
  return at >= 0 ? at : (chosen[column] ?? -1);
}

function grouped(faults) {
  const found = new Map();
  faults.forEach((fault) => found.set(fault.line, [...(found.get(fault.line) ?? []), fault]));
  return found;
}
