// The head of the library: search, order, filters, and what brings new images.
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { plural } from "../../components/format.js";
import { useKeys } from "../../components/hooks.js";
import { Icon } from "../../components/icons.js";
import { Menu } from "../../components/menu.js";
import { FilterDialog } from "./dialogs.js";
import { SORTS, chosen, show } from "./search.js";

const TYPING_MS = 250;

export function Toolbar({ search, total, loading, onChoose, onUrl }) {
  const [dialog, setDialog] = useState("");
  const without = (name) => show({ ...search, [name]: "" });
  return html`<div class="view-head library-head">
      <h1>Library <small class="soft">${loading ? "" : plural(total, "image")}</small></h1>
      <${SearchBox} search=${search} />
      <select class="input sort" aria-label="Order" value=${search.sort ?? ""} disabled=${Boolean(search.like)} onChange=${(event) => show({ ...search, sort: event.target.value })}>
        ${SORTS.map(([value, label]) => html`<option value=${value}>${label}</option>`)}
      </select>
      <button class="button tool" aria-label="Filter" onClick=${() => setDialog("filter")}><${Icon} name="filter" /><span class="word">Filter</span></button>
      <${Menu} label="Add" icon="plus" items=${[
        { label: "Choose files", icon: "upload", run: onChoose },
        { label: "By URL", icon: "link", run: onUrl },
      ]} />
    </div>
    ${chosen(search).length > 0 && html`<ul class="row chips" aria-label="Filters">
      ${chosen(search).map(([name, text]) => html`<li key=${name}><button class="button small" onClick=${() => without(name)} aria-label="Remove the filter ${text}">
        ${text}<${Icon} name="close" size=${14} /></button></li>`)}
      <li><button class="button quiet small" onClick=${() => show({})}>Clear all</button></li>
    </ul>`}
    ${dialog === "filter" && html`<${FilterDialog} search=${search} onClose=${() => setDialog("")} />`}`;
}

function SearchBox({ search }) {
  const [text, setText] = useState(search.filename ?? "");
  const input = useRef(null);
  useEffect(() => setText(search.filename ?? ""), [search.filename]);
  useEffect(() => {
    if (text === (search.filename ?? "")) return undefined;
    const timer = setTimeout(() => show({ ...search, filename: text }, { replace: true }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useKeys((event) => {
    if (event.key !== "/") return;
    event.preventDefault();
    input.current.focus();
  });
  return html`<label class="search-box"><span class="hidden-label">Search by name</span><${Icon} name="search" size=${18} />
    <input ref=${input} class="input" type="search" placeholder="Search by name" value=${text} onInput=${(event) => setText(event.target.value)} /></label>`;
}
