// A CSV file before it becomes a batch: its table, which column is which, and what is wrong with it.
import { html, useEffect, useState } from "../../vendor/preact.js";
import { all, api } from "../../api.js";
import { Dialog } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { plural } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { Loading, sentence } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { go } from "../../router.js";
import { COLUMNS, guessed, parseSheet, readSheet, renamed, writeSheet } from "./csv.js";
import { note } from "./feed.js";
import { Sheet } from "./sheet.js";

const MAPPED = "The header of the column gets the name that the server knows.";

export function NewBatch({ file, onClose }) {
  const [sheet, setSheet] = useState(null);
  const [chosen, setChosen] = useState({});
  const [edited, setEdited] = useState(false);
  const [state, setState] = useState({ busy: false, fault: "", faults: [] });
  useEffect(() => {
    readSheet(file).then(
      (read) => {
        setSheet(read);
        setChosen(guessed(read.header));
      },
      (error) => setState((before) => ({ ...before, fault: sentence(error) })),
    );
  }, [file]);
  const change = (row, at, text) => {
    setEdited(true);
    setSheet((before) => ({ ...before, rows: before.rows.map((one) => (one === row ? { ...one, cells: replaced(one.cells, at, text) } : one)) }));
  };
  const submit = async (event) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    setState({ busy: true, fault: "", faults: [] });
    const sent = prepared(file, sheet, chosen, edited);
    if (sent.sheet) {
      setSheet(sent.sheet); // its lines are those that the answer names
      setChosen(guessed(sent.sheet.header));
    }
    try {
      const batch = await api.send("/api/batches", formOf(sent.file, fields));
      note("batches", [batch]);
      toast(`${batch.filename}: ${plural(batch.total, "image")} to fetch`, { kind: "good" });
      go(`/batches/${batch.id}`);
    } catch (error) {
      setState({ busy: false, fault: sentence(error), faults: error.faults ?? [] });
    }
  };
  return html`<${Dialog} title="New batch: ${file.name}" wide onClose=${onClose}>
    ${!sheet && !state.fault && html`<${Loading} />`}
    <form class="stack new-batch" onSubmit=${submit}>
      ${sheet && html`<${Mapping} header=${sheet.header} chosen=${chosen} onChange=${setChosen} faults=${state.faults} />
        <${Sheet} sheet=${sheet} chosen=${chosen} faults=${state.faults} onChange=${change} />
        <${Options} />`}
      ${state.fault && html`<p class="notice bad" role="alert">${state.fault}</p>`}
      <div class="buttons">
        <button class="button" type="button" onClick=${onClose}>Cancel</button>
        <button class="button primary" disabled=${!sheet || state.busy}>${state.busy ? "Checking…" : state.faults.length ? "Check again" : "Start"}</button>
      </div>
    </form>
  </${Dialog}>`;
}

function Mapping({ header, chosen, onChange, faults }) {
  const of = (column) => faults.find((fault) => fault.column === column.name && !header.includes(column.name))?.reason;
  return html`<fieldset class="mapping"><legend class="label">Which column is which</legend>
    ${COLUMNS.map((column) => html`<${Field} key=${column.name} label=${column.label} fault=${of(column)}
      value=${String(chosen[column.name])} onChange=${(event) => onChange({ ...chosen, [column.name]: Number(event.target.value) })}
      options=${[["-1", column.optional ? "None: rows are numbered" : "Found by the server"], ...header.map((cell, at) => [String(at), cell || `Column ${at + 1}`])]} />`)}
    <p class="hint soft small">${MAPPED}</p>
  </fieldset>`;
}

function Options() {
  const { data: presets } = useResource(() => all("/api/presets"), []);
  const named = (presets ?? []).map((preset) => [preset.name, preset.name]);
  return html`<div class="options">
    <${Field} label="Result" name="preset" options=${[["", "JPEG of quality 50"], ...named]} hint="Presets are made in the pipeline." />
    <${Field} label="Keep the results" name="retention" options=${[["keep", "Until they are deleted"], ["ephemeral", "Until they expire"]]} />
    <${Field} label="Rows without an address" name="on_missing_image" options=${[["refuse", "Are a fault"], ["skip", "Come back as they are"]]} />
  </div>`;
}

// The file as it goes out: unchanged, or written again with the names of the columns and what was edited.
function prepared(file, sheet, chosen, edited) {
  const found = guessed(sheet.header);
  const isMapped = COLUMNS.some(({ name }) => chosen[name] >= 0 && chosen[name] !== found[name]);
  if (!isMapped && !edited) return { file };
  const header = isMapped ? renamed(sheet.header, chosen) : sheet.header;
  const text = writeSheet({ ...sheet, header });
  return { file: new File([text], file.name, { type: "text/csv" }), sheet: parseSheet(text) };
}

function formOf(file, fields) {
  const form = new FormData();
  for (const [name, value] of fields) if (value && typeof value === "string" && name) form.append(name, value);
  form.append("file", file);
  return form;
}

function replaced(cells, at, text) {
  const copy = [...cells];
  while (copy.length <= at) copy.push("");
  copy[at] = text;
  return copy;
}
