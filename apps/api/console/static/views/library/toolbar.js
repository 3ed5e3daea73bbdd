// The head of the library: search, order, filters, and what brings new images.
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { plural } from "../../components/format.js";
import { useKeys } from "../../components/hooks.js";
import { Icon } from "../../components/icons.js";
import { Menu } from "../../components/menu.js";
import { toastError } from "../../components/toast.js";
import { FilterDialog } from "./dialogs.js";
import { remember } from "./by-file.js";
import { SORTS, chosen, isByLikeness, narrowed, show } from "./search.js";

const TYPING_MS = 250;

export function Toolbar({ search, total, loading, onChoose, onUrl }) {
  const [dialog, setDialog] = useState("");
  const without = (name) => show({ ...search, [name]: "" });
  return html`<div class="view-head library-head">
      <h1>Library <small class="soft">${loading ? "" : plural(total, "image")}</small></h1>
      <${SearchBox} search=${search} />
      <select class="input sort" aria-label="Order" value=${search.sort ?? ""} disabled=${isByLikeness(search)} onChange=${(event) => show({ ...search, sort: event.target.value })}>
        ${isByLikeness(search) && html`<option value="">Nearest first</option>`}
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
  const file = useRef(null);
  useEffect(() => setText(search.filename ?? ""), [search.filename]);
  useEffect(() => {
    if (text === (search.filename ?? "")) return undefined;
    const timer = setTimeout(() => show(narrowed(search, { filename: text }), { replace: true }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useKeys((event) => {
    if (event.key !== "/") return;
    event.preventDefault();
    input.current.focus();
  });
  const pasted = (event) => {
    const [picture] = event.clipboardData.files;
    if (!picture) return;
    event.preventDefault();
    findAlike(picture);
  };
  return html`<div class="search-box">
    <label><span class="hidden-label">Search by name</span><${Icon} name="search" size=${18} />
      <input ref=${input} class="input" type="search" placeholder="Search names" value=${text} onPaste=${pasted} onInput=${(event) => setText(event.target.value)} /></label>
    <button class="button quiet icon small" aria-label="Search by a picture" title="Search by a picture: choose, drop or paste a file" onClick=${() => file.current.click()}>
      <${Icon} name="alike" size=${18} /></button>
    <input ref=${file} type="file" accept="image/*,.heic,.jxl" hidden aria-label="Picture to search with"
      onChange=${(event) => { findAlike(event.target.files[0]); event.target.value = ""; }} /></div>`;
}

// Shows the images that look like a file.
export function findAlike(file) {
  return remember(file).then((number) => show({ like_file: number }), toastError);
}
