// Images of all accounts.
import { html } from "../../vendor/preact.js";
import { api, pathOf } from "../../api.js";
import { ago, bytes } from "../../components/format.js";
import { toast } from "../../components/toast.js";
import { agreed } from "../account/pieces.js";
import { Act, Filters, Heading, Table, TextFilter, usePages } from "./pieces.js";

export function Images({ query }) {
  const { id, ...filters } = query;
  const list = usePages("/api/operator/images", { ...filters, image: id });
  const remove = (image) => agreed(`Delete ${image.filename} of ${image.owner}?`, { text: "The file is removed for good, and unfinished jobs on it are cancelled.", action: "Delete" }, async () => {
    await api.delete(`/api/operator/images/${image.id}`);
    list.remove(image.id);
    toast("The image is deleted", { kind: "good" });
  });
  return html`<section class="stack" aria-labelledby="images-title"><${Heading} id="images-title" list=${list}>Images</${Heading}>
    <${Filters} at="images" query=${query} onReload=${list.reload}>
      <${TextFilter} name="owner" label="Account" query=${query} />
      <${TextFilter} name="filename" label="Part of the name" query=${query} />
      <${TextFilter} name="id" label="Id" query=${query} pattern="[0-9a-fA-F\\-]{36}" title="36 characters" /></${Filters}>
    <${Table} list=${list} label="Images" empty="No image is like that." columns=${["Picture", "Name", "Account", "Pixels", "Size", "State", "Stored", ""]}>${(image) => html`<tr key=${image.id}>
      <td>${image.status === "deleting" ? "" : html`<img class="thumb" src=${pathOf(image.thumbnail_url)} alt="" loading="lazy" width="48" height="48" />`}</td>
      <td class="long">${image.filename}<br /><code class="soft">${image.id}</code></td>
      <td><a href="/console/admin/images?owner=${encodeURIComponent(image.owner)}">${image.owner}</a></td>
      <td>${image.width} × ${image.height}</td><td>${bytes(image.size_bytes)}</td>
      <td>${image.status}, ${image.retention}${image.expires_at && html`<br /><span class="soft">ends ${ago(image.expires_at)}</span>`}</td><td class="line">${ago(image.created_at)}</td>
      <td>${image.status !== "deleting" && html`<${Act} run=${() => remove(image)} kind="danger" label="Delete ${image.filename}">Delete</${Act}>`}</td></tr>`}</${Table}></section>`;
}
