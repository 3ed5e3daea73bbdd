// A dialog that chooses one of the account's images.
import { html, useState } from "../vendor/preact.js";
import { page, pathOf } from "../api.js";
import { Dialog } from "./dialog.js";
import { useResource } from "./hooks.js";
import { Empty, Failure, Loading } from "./states.js";

export function ImageChooser({ title = "Choose an image", onChoose, onClose }) {
  const [name, setName] = useState("");
  const { data, error, reload } = useResource((signal) => page("/api/images", { limit: 60, filename: name }, { signal }), [name]);
  return html`<${Dialog} title=${title} onClose=${onClose} wide>
    <input class="input" type="search" placeholder="Search by name" aria-label="Search by name" onInput=${(event) => setName(event.target.value)} />
    ${error ? html`<${Failure} error=${error} onRetry=${reload} />` : !data ? html`<${Loading} />` : data.items.length === 0
      ? html`<${Empty} title="There is no such image." />`
      : html`<ul class="chooser">${data.items.map((image) => html`<li key=${image.id}>
          <button onClick=${() => onChoose(image)}><img src=${pathOf(image.thumbnail_url)} alt="" loading="lazy" /><span>${image.filename}</span></button>
        </li>`)}</ul>`}
    <div class="buttons"><button class="button" onClick=${onClose}>Cancel</button></div>
  </${Dialog}>`;
}
