// One image: large, with its history, what is known of it, its addresses, and what to do with it.
import { html, useState } from "../../vendor/preact.js";
import { api, pathOf } from "../../api.js";
import { CopyAs } from "../../components/copy-as.js";
import { confirm } from "../../components/dialog.js";
import { useResource } from "../../components/hooks.js";
import { Icon } from "../../components/icons.js";
import { Failure, Loading } from "../../components/states.js";
import { loadStyle } from "../../components/style.js";
import { toast, toastError } from "../../components/toast.js";
import { go } from "../../router.js";
import { Addresses } from "./addresses.js";
import { Alike } from "./alike.js";
import { Compare } from "./compare.js";
import { Details } from "./details.js";
import { History } from "./history.js";
import { Stage } from "./stage.js";

await loadStyle("views/image.css");

const TABS = ["Details", "History", "Look-alikes", "Addresses", "Copy as"];

export default function ImageView({ params }) {
  const { data: image, error, reload, setData } = useResource((signal) => api.get(`/api/images/${params.id}`, {}, { signal }), [params.id]);
  const [tab, setTab] = useState(TABS[0]);
  const [compared, compare] = useState(null);
  const [pick, setPick] = useState(false);
  if (error) return html`<${Failure} title=${error.status === 404 ? "There is no such image." : undefined} error=${error} onRetry=${reload} />`;
  if (!image) return html`<${Loading} />`;

  const change = (fields, said) => api.patch(`/api/images/${image.id}`, fields).then(
    (changed) => { setData(changed); if (said) toast(said, { kind: "good" }); }, toastError);
  const pickFocus = (focus) => { setData({ ...image, focus }); change({ focus }); };
  const remove = async () => {
    if (!(await confirm(`Delete ${image.filename}?`, { text: "Results of it stay.", action: "Delete", danger: true }))) return;
    await api.delete(`/api/images/${image.id}`).then(() => { toast("Deleted"); go("/library"); }, toastError);
  };
  const show = (one) => { compare(one); setPick(false); };

  return html`
    <div class="view-head">
      <a class="button icon quiet" href="/console/library" aria-label="Back to the library"><${Icon} name="left" /></a>
      <h1>${image.filename}</h1>
      <div class="row">
        <a class="button primary" href="/console/pipeline?image=${image.id}"><${Icon} name="pipeline" /> Pipeline</a>
        <button class="button" onClick=${() => download(image).catch(toastError)}><${Icon} name="download" /> Download</button>
        <button class="button icon danger" aria-label="Delete" title="Delete" onClick=${remove}><${Icon} name="trash" /></button>
      </div>
    </div>
    <div class="image-view">
      <div class="looking">
        ${compared ? html`<${Compare} ...${pair(image, compared)} onClose=${() => show(null)} />`
          : html`<${Stage} key=${image.md5} image=${image} focus=${image.focus} pick=${pick} onPick=${pickFocus} />
            <div class="row focal">
              <button class="button small" aria-pressed=${pick} onClick=${() => setPick(!pick)}>${pick ? "Done" : image.focus ? "Move the focal point" : "Set the focal point"}</button>
              ${image.focus && html`<button class="button small quiet" onClick=${() => change({ focus: null }, "The centre counts again")}>Remove it</button>`}
              <p class="soft small">${image.focus ? `At ${percent(image.focus.x)} from the left and ${percent(image.focus.y)} from the top: crops with the gravity “focus” keep it in view.`
                : "The spot that crops with the gravity “focus” keep in view."}</p>
            </div>`}
      </div>
      <div class="knowing">
        <div class="tabs" role="tablist" aria-label="About the image">${TABS.map((name) => html`<button class="tab" role="tab" id=${`tab-${name}`}
          aria-selected=${name === tab} tabindex=${name === tab ? 0 : -1} onClick=${() => setTab(name)} onKeyDown=${(event) => arrow(event, tab, setTab)}>${name}</button>`)}</div>
        <div role="tabpanel" aria-labelledby=${`tab-${tab}`}>
          ${tab === "Details" && html`<${Details} image=${image} onKeep=${() => change({ retention: "keep" }, "It stays")}
            onChange=${(fields) => api.patch(`/api/images/${image.id}`, fields).then(setData)} />`}
          ${tab === "History" && html`<${History} image=${image} compared=${compared} onCompare=${show} />`}
          ${tab === "Look-alikes" && html`<${Alike} image=${image} />`}
          ${tab === "Addresses" && html`<${Addresses} image=${image} />`}
          ${tab === "Copy as" && html`<${CopyAs} image=${image} operations=${[]} />
            <p class="soft">With operations, it is in the <a href="/console/pipeline?image=${image.id}">pipeline</a>.</p>`}
        </div>
      </div>
    </div>`;
}

// The older one comes first.
function pair(image, other) {
  return other.parent === image.id || other.created_at > image.created_at ? { before: image, after: other } : { before: other, after: image };
}

function arrow(event, tab, setTab) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length];
  setTab(next);
  document.getElementById(`tab-${next}`).focus();
}

// By a link, not by a script: where clients fetch files from the object store, the page itself may not.
async function download(image) {
  const { url } = await api.post(`/api/images/${image.id}/link`, { version: "original" });
  Object.assign(document.createElement("a"), { href: `${pathOf(url)}?attachment=true` }).click();
}

const percent = (fraction) => `${Math.round(100 * fraction)} %`;
