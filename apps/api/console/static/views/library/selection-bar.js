// What can be done with the selected images.
import { html, useState } from "../../vendor/preact.js";
import { confirm } from "../../components/dialog.js";
import { plural } from "../../components/format.js";
import { Icon } from "../../components/icons.js";
import { sentence } from "../../components/states.js";
import { toast, toastError } from "../../components/toast.js";
import { go } from "../../router.js";
import { selection } from "../../store.js";
import { download, forEach, keep, remove, retag, transform } from "./actions.js";
import { TagDialog, TransformDialog } from "./dialogs.js";
import { show } from "./search.js";

const clear = () => selection.set(new Set());

// Asks, then deletes the selected images.
export async function removeSelected(collection) {
  const ids = selection.get();
  const question = `Delete ${plural(ids.size, "image")}?`;
  if (!(await confirm(question, { text: "Their files are deleted at once.", action: "Delete", danger: true }))) return;
  const { done, failures } = await forEach(ids, remove);
  const gone = new Set([...done, ...failures.filter(([, error]) => error.status === 404)].map(([id]) => id));
  collection.remove(gone);
  selection.set((all) => new Set([...all].filter((id) => !gone.has(id))));
  report(`${plural(gone.size, "image")} deleted`, failures.filter(([id]) => !gone.has(id)));
}

function report(text, failures, action) {
  if (failures.length) toastError(failures[0][1], `${plural(failures.length, "image")} left as before`);
  else toast(text, { kind: "good", action });
}

export function SelectionBar({ ids, collection }) {
  const [dialog, setDialog] = useState("");
  const [busy, setBusy] = useState("");
  const run = async (what, act) => {
    setBusy(what);
    try {
      await act();
    } catch (error) {
      toast(`${what}: ${sentence(error)}`, { kind: "bad" });
    }
    setBusy("");
  };
  const changed = async (text, change) => {
    const { done, failures } = await forEach(ids, change, (count) => setBusy(`${count} of ${ids.size}`));
    done.forEach(([, image]) => collection.replace(image));
    report(text, failures);
  };
  const count = ids.size;
  const transformed = async (request) => {
    const { failures } = await forEach(ids, (id) => transform(id, request), (made) => setBusy(`${made} of ${count}`));
    report(`${plural(count, "job")} started`, failures, { label: "Show jobs", run: () => go("/jobs") });
  };
  return html`<div class="selection-bar" role="toolbar" aria-label="Selected images">
    <strong role="status">${busy || `${count} selected`}</strong>
    <${Tool} icon="tag" label="Tag" run=${() => setDialog("tag")} />
    <${Tool} icon="keep" label="Keep" run=${() => run("Keep", () => changed(`${plural(count, "image")} kept`, keep))} />
    <${Tool} icon="pipeline" label="Transform" run=${() => setDialog("transform")} />
    <${Tool} icon="download" label="Download" run=${() => run("Preparing the archive", () => download(ids))} />
    ${count === 1 && html`<${Tool} icon="alike" label="More like this" run=${() => show({ like: [...ids][0] })} bare />`}
    <${Tool} icon="trash" label="Delete" run=${() => run("Deleting", () => removeSelected(collection))} />
    <${Tool} icon="close" label="Clear the selection" run=${clear} bare />
    ${dialog === "tag" && html`<${TagDialog} count=${count} onClose=${() => setDialog("")}
      onTag=${(tags) => run("Tag", () => changed(`${plural(count, "image")} tagged`, (id) => retag(id, tags)))} />`}
    ${dialog === "transform" && html`<${TransformDialog} count=${count} onClose=${() => setDialog("")}
      onTransform=${(request) => run("Transform", () => transformed(request))} />`}
  </div>`;
}

function Tool({ icon, label, run, bare }) {
  return html`<button class="button quiet small ${bare ? "icon" : ""}" aria-label=${label} title=${label} onClick=${run}>
    <${Icon} name=${icon} size=${18} />${!bare && html`<span class="word">${label}</span>`}</button>`;
}
