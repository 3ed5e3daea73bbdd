// Images of the account that look like this one.
import { html, useState } from "../../vendor/preact.js";
import { api, pathOf } from "../../api.js";
import { useResource } from "../../components/hooks.js";
import { Empty, Failure, Loading } from "../../components/states.js";

export function Alike({ image }) {
  const [distance, setDistance] = useState(10);
  const { data, error, reload } = useResource(
    (signal) => api.get(`/api/images/${image.id}/similar`, { max_distance: distance, limit: 60 }, { signal }), [image.id, image.md5, distance]);
  return html`<section class="stack">
    <label class="row">How different: <input type="range" min="0" max="24" value=${distance} onChange=${(event) => setDistance(Number(event.target.value))} />
      <output>${distance} of 64 bits</output></label>
    ${error ? html`<${Failure} error=${error} onRetry=${reload} />` : !data ? html`<${Loading} />` : !Array.isArray(data)
      ? html`<p class="soft">The image is being described.</p><button class="button small" onClick=${reload}>Look again</button>`
      : data.length === 0 ? html`<${Empty} title="No other image looks like this one." />`
      : html`<ul class="chooser">${data.map((one) => html`<li key=${one.id}><a href="/console/images/${one.id}">
          <img src=${pathOf(one.thumbnail_url)} alt="" loading="lazy" /><span>${one.filename}<br /><small class="soft">${one.distance} bits differ</small></span></a></li>`)}</ul>`}
  </section>`;
}
