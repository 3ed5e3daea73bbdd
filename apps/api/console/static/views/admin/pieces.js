// Pieces of the operators' lists: filters in the address, and pages that are loaded one after another.
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { page } from "../../api.js";
import { Field } from "../../components/field.js";
import { useResource } from "../../components/hooks.js";
import { Empty, Failure, Loading } from "../../components/states.js";
import { toastError } from "../../components/toast.js";
import { go } from "../../router.js";

// The pages of a list: { data: { items, total, hasMore, next }, error, reload, setData, more, replace, remove }.
export function usePages(path, query) {
  const found = useResource((signal) => page(path, { limit: 50, ...query }, { signal }), [path, JSON.stringify(query)]);
  const more = async () => {
    const following = await page(found.data.next);
    found.setData((before) => ({ ...following, items: [...before.items, ...following.items] }));
  };
  const replace = (item) => found.setData((before) => ({ ...before, items: before.items.map((one) => (one.id === item.id ? item : one)) }));
  const remove = (id) => found.setData((before) => ({ ...before, items: before.items.filter((one) => one.id !== id), total: before.total - 1 }));
  return { ...found, more: () => more().catch(toastError), replace, remove };
}

// The heading of a list: what it is of, and how many there are.
export function Heading({ id, list, children }) {
  const { total, hasMore } = list.data ?? {};
  return html`<h2 id=${id}>${children}${total !== undefined && html` <small class="soft count">${total.toLocaleString("en")}${hasMore && "+"}</small>`}</h2>`;
}

// A table of a list. `columns` are names; `children` draws the row of an item. On a narrow screen each row is a
// card, whose cells say their column; roles keep it a table for screen readers.
export function Table({ list, label, columns, empty, children }) {
  const box = useRef(null);
  useEffect(() => box.current && describe(box.current, columns), [list.data]);
  if (list.error) return html`<${Failure} error=${list.error} onRetry=${list.reload} />`;
  if (!list.data) return html`<${Loading} />`;
  if (!list.data.items.length) return html`<${Empty} title=${empty} />`;
  return html`<div class="table-scroll card flat" tabindex="0" role="region" aria-label=${label}><table class="table cards" role="table" ref=${box}>
      <thead role="rowgroup"><tr role="row">${columns.map((name) => html`<th scope="col" role="columnheader" key=${name}>${name || html`<span class="hidden-label">Actions</span>`}</th>`)}</tr></thead>
      <tbody role="rowgroup">${list.data.items.map(children)}</tbody></table></div>
    ${list.data.next && html`<button class="button" onClick=${list.more}>Show older</button>`}`;
}

function describe(table, columns) {
  for (const row of table.tBodies[0].rows) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, nth) => {
      cell.setAttribute("role", "cell");
      cell.dataset.label = columns[nth] ?? "";
    });
  }
}

// Fields that filter a list: what is entered becomes the query of the address, so it can be kept and sent.
export function Filters({ at, query, children, onReload }) {
  const submit = (event) => {
    event.preventDefault();
    const given = [...new FormData(event.currentTarget)].filter(([, value]) => value !== "");
    go(`/admin/${at}${given.length ? `?${new URLSearchParams(given)}` : ""}`, { replace: true });
  };
  return html`<form class="site-filters" role="search" aria-label="Filter" key=${JSON.stringify(query)} onSubmit=${submit}>
    ${children}<div class="row"><button class="button primary">Show</button>
    ${onReload && html`<button class="button" type="button" onClick=${onReload}>Load again</button>`}</div></form>`;
}

export function Choice({ name, label, query, values }) {
  return html`<${Field} label=${label} name=${name} value=${query[name] ?? ""} options=${[["", "All"], ...values.map((value) => (Array.isArray(value) ? value : [value, value]))]} />`;
}

export function TextFilter({ name, label, query, ...given }) {
  return html`<${Field} label=${label} name=${name} value=${query[name] ?? ""} autocomplete="off" spellcheck=${false} ...${given} />`;
}

// Runs what a button does, and shows what went wrong; the button waits meanwhile.
export function Act({ run, children, kind = "", label }) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    setBusy(true);
    await run().catch(toastError);
    setBusy(false);
  };
  return html`<button class="button small ${kind}" disabled=${busy} aria-label=${label} onClick=${press}>${children}</button>`;
}
