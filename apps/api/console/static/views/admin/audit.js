// What operators did.
import { html } from "../../vendor/preact.js";
import { moment } from "../../components/format.js";
import { Filters, Heading, Table, TextFilter, usePages } from "./pieces.js";

const PAGES = { job: "jobs", batch: "batches" };

export function Audit({ query }) {
  const list = usePages("/api/operator/audit", query);
  return html`<section class="stack" aria-labelledby="audit-title"><${Heading} id="audit-title" list=${list}>Audit log</${Heading}>
    <p class="soft">Each change by an operator, here, on the pages of all tables and by commands at the shell, for 400 days. Entries cannot be changed.</p>
    <${Filters} at="audit" query=${query} onReload=${list.reload}>
      <${TextFilter} name="username" label="Operator" query=${query} />
      <${TextFilter} name="action" label="Action" query=${query} />
      <${TextFilter} name="about" label="Id of the record" query=${query} /></${Filters}>
    <${Table} list=${list} label="Audit log" empty="There is no such entry." columns=${["When", "Operator", "Action", "Record", "Detail, request"]}>${(entry) => html`<tr key=${entry.id}>
      <td class="line">${moment(entry.at)}</td><td>${entry.username}</td><td><code>${entry.action}</code></td><td class="long"><${Subject} entry=${entry} /></td>
      <td class="long">${entry.detail}${entry.detail && entry.request_id && html`<br />`}${entry.request_id && html`<code class="soft">${entry.request_id}</code>`}</td></tr>`}</${Table}></section>`;
}

function Subject({ entry }) {
  const section = PAGES[entry.action.split(".")[0]];
  const shown = html`<code>${entry.subject}</code>`;
  return section ? html`<a href="/console/admin/${section}/${encodeURIComponent(entry.subject)}">${shown}</a>` : shown;
}
