// Upload tokens of all accounts.
import { html } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { bytes, moment } from "../../components/format.js";
import { toast } from "../../components/toast.js";
import { agreed } from "../account/pieces.js";
import { Act, Filters, Heading, Table, TextFilter, usePages } from "./pieces.js";

const COLUMNS = ["Token", "Account", "Takes", "Makes", "Used", "Made", "Ends", ""];

export function UploadTokens({ query }) {
  const list = usePages("/api/operator/upload-tokens", query);
  return html`<section class="stack" aria-labelledby="upload-tokens-title"><${Heading} id="upload-tokens-title" list=${list}>Upload tokens</${Heading}>
    <${Filters} at="upload-tokens" query=${query} onReload=${list.reload}><${TextFilter} name="owner" label="Account" query=${query} /></${Filters}>
    <${Table} list=${list} label="Upload tokens" empty="There is no such token." columns=${COLUMNS}>${(token) => html`<${Row} key=${token.id} shown=${token} onRevoked=${() => list.remove(token.id)} />`}</${Table}></section>`;
}

function Row({ shown, onRevoked }) {
  const revoke = () => agreed(`Revoke the upload token ${shown.prefix} of ${shown.owner}?`, { text: "Pages that use it are refused at once; what was uploaded stays.", action: "Revoke" }, async () => {
    await api.delete(`/api/operator/upload-tokens/${shown.id}`);
    toast("The upload token is revoked", { kind: "good" });
    await onRevoked();
  });
  const made = (shown.operations ?? []).map((operation) => operation.op).join(", ");
  return html`<tr><td class="long"><code>${shown.prefix}…</code></td><td>${shown.owner}</td>
    <td class="long">${shown.formats ? shown.formats.join(", ") : "All formats"}, up to ${bytes(shown.max_bytes)}</td><td class="long">${made || "The image itself"}</td>
    <td>${shown.used} of ${shown.count}</td><td>${moment(shown.created_at)}</td><td>${moment(shown.expires_at)}</td>
    <td><${Act} run=${revoke} kind="danger" label="Revoke ${shown.prefix}">Revoke</${Act}></td></tr>`;
}
