import { html } from "../../vendor/preact.js";
import { page, pathOf } from "../../api.js";
import { useResource } from "../../components/hooks.js";
import { Failure, Loading } from "../../components/states.js";
import { BASE } from "../../router.js";

export default function Library() {
  const { data, error, reload } = useResource((signal) => page("/api/images", { limit: 100 }, { signal }), []);
  if (error) return html`<${Failure} error=${error} onRetry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  return html`<div class="view-head"><h1>Library</h1></div>
    <ul class="row">${data.items.map((image) => html`<li key=${image.id}><a href="${BASE}/images/${image.id}">
      <img src=${pathOf(image.thumbnail_url)} alt=${image.filename} width="160" loading="lazy" /></a></li>`)}</ul>`;
}
