// API keys of all accounts.
import { html } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { ago, moment } from "../../components/format.js";
import { toast } from "../../components/toast.js";
import { agreed } from "../account/pieces.js";
import { Act, Filters, Heading, Table, TextFilter, usePages } from "./pieces.js";

const COLUMNS = ["Name", "Account", "May", "Used", "Ends", ""];

export function Keys({ query }) {
  const list = usePages("/api/operator/keys", query);
  return html`<section class="stack" aria-labelledby="keys-title"><${Heading} id="keys-title" list=${list}>API keys</${Heading}>
    <${Filters} at="keys" query=${query} onReload=${list.reload}><${TextFilter} name="owner" label="Account" query=${query} /></${Filters}>
    <${Table} list=${list} label="API keys" empty="There is no such key." columns=${COLUMNS}>${(key) => html`<${Row} key=${key.id} shown=${key} onRevoked=${() => list.remove(key.id)} />`}</${Table}></section>`;
}

// The keys of one account.
export function KeyRows({ keys, onRevoked }) {
  return html`<${Table} list=${{ data: { items: keys, next: null } }} label="API keys" columns=${COLUMNS}>${(key) => html`<${Row} key=${key.id} shown=${key} onRevoked=${onRevoked} />`}</${Table}>`;
}

function Row({ shown, onRevoked }) {
  const revoke = () => agreed(`Revoke the key ${shown.name} of ${shown.owner}?`, { text: "Programs that use it are refused at once.", action: "Revoke" }, async () => {
    await api.delete(`/api/operator/keys/${shown.id}`);
    toast("The key is revoked", { kind: "good" });
    await onRevoked();
  });
  return html`<tr><td class="long">${shown.name}<br /><code class="soft">${shown.prefix}…</code></td><td>${shown.owner}</td>
    <td class="long">${shown.scopes.join(", ")}${shown.networks.length > 0 && html`<br /><span class="soft">from ${shown.networks.join(", ")}</span>`}</td>
    <td>${shown.last_used_at ? ago(shown.last_used_at) : "Never"}</td><td>${shown.expires_at ? moment(shown.expires_at) : "Never"}</td>
    <td><${Act} run=${revoke} kind="danger" label="Revoke ${shown.name}">Revoke</${Act}></td></tr>`;
}
