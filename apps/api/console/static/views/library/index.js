// The library: all images of the account, to search, select and add to.
import { html, useEffect, useMemo, useRef, useState } from "../../vendor/preact.js";
import { Icon } from "../../components/icons.js";
import { Empty, Failure, Loading } from "../../components/states.js";
import { loadStyle } from "../../components/style.js";
import { selection, useStore } from "../../store.js";
import { addFiles, onUploaded } from "../../uploads/queue.js";
import { createCollection } from "./collection.js";
import { UrlDialog } from "./dialogs.js";
import { DropArea } from "./drop.js";
import { Grid } from "./grid.js";
import { selectRange, toggle, useGridKeys } from "./keyboard.js";
import { useLive } from "./live.js";
import { searchOf } from "./search.js";
import { SelectionBar, removeSelected } from "./selection-bar.js";
import { Toolbar } from "./toolbar.js";

await loadStyle("views/library.css");

export default function Library({ query }) {
  const search = searchOf(query);
  const key = JSON.stringify(search);
  const collection = useMemo(() => createCollection(search), [key]);
  useEffect(() => () => collection.close(), [collection]);
  useEffect(() => (key === "{}" ? onUploaded(collection.insert) : undefined), [collection]);
  useLive(collection, key !== "{}");
  const state = useStore(collection.state);
  const files = useRef(null);
  const [namesUrl, setNamesUrl] = useState(false);
  const adding = { onChoose: () => files.current.click(), onUrl: () => setNamesUrl(true) };
  return html`<${Toolbar} search=${search} total=${state.total} loading=${state.loading} ...${adding} />
    <${Content} key=${key} state=${state} collection=${collection} isSearch=${key !== "{}"} adding=${adding} />
    <input ref=${files} type="file" multiple accept="image/*,.heic,.jxl" hidden aria-label="Files to upload"
      onChange=${(event) => { addFiles(event.target.files); event.target.value = ""; }} />
    ${namesUrl && html`<${UrlDialog} onClose=${() => setNamesUrl(false)} />`}
    <${DropArea} />`;
}

function Content({ state, collection, isSearch, adding }) {
  const selected = useStore(selection);
  const [active, setActive] = useState(0);
  const anchor = useRef(0);
  const control = useRef(null);
  const { items, total, error, loading } = state;
  useGridKeys({ items, active, setActive, control, onRemove: () => removeSelected(collection) });
  if (error && !items.length) return html`<${Failure} error=${error} onRetry=${() => collection.need(1)} />`;
  if (loading) return html`<${Loading} label="Loading the images" />`;
  if (!total) return html`<${Nothing} isSearch=${isSearch} ...${adding} />`;
  const onSelect = (event, index) => {
    if (event.shiftKey) selectRange(items, anchor.current, index);
    else toggle(items[index].id);
    anchor.current = index;
    setActive(index);
  };
  const onOpen = (event, index) => {
    setActive(index);
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey && !selected.size) return;
    if (event.detail === 0) return; // Enter opens the image
    event.preventDefault();
    onSelect(event, index);
  };
  return html`
    ${selected.size > 0 && html`<${SelectionBar} ids=${selected} collection=${collection} />`}
    <${Grid} items=${items} total=${total} selected=${selected} active=${Math.min(active, items.length - 1)} control=${control}
      onNeed=${collection.need} onOpen=${onOpen} onSelect=${onSelect} />`;
}

function Nothing({ isSearch, onChoose, onUrl }) {
  if (isSearch) return html`<${Empty} title="Nothing matches." ><p>Try other words, or clear the filters.</p></${Empty}>`;
  return html`<div class="dashed"><${Empty} title="Drop images here">
    <p>Many at once, or a whole folder. Pasting works too.</p>
    <p class="row"><button class="button primary" onClick=${onChoose}><${Icon} name="upload" />Choose files</button>
      <button class="button" onClick=${onUrl}><${Icon} name="link" />By URL</button></p>
  </${Empty}></div>`;
}
