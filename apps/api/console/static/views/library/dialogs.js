// The dialogs of the library: filters, a URL, tags, a preset.
import { html } from "../../vendor/preact.js";
import { all } from "../../api.js";
import { FormDialog } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { plural } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { Failure, Loading } from "../../components/states.js";
import { BASE } from "../../router.js";
import { addUrl } from "../../uploads/queue.js";
import { FORMATS, SORTS, fromForm, show, toForm } from "./search.js";

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export function FilterDialog({ search, onClose }) {
  const form = toForm(search);
  return html`<${FormDialog} title="Filter" action="Show" onClose=${onClose} onSubmit=${(values) => show(fromForm(search, values))}>
    <div class="pairs">
      <${Field} label="Tags" name="tags" value=${form.tags} hint="All of them, separated by commas" />
      <${Field} label="Format" name="format" value=${form.format ?? ""} options=${[["", "Any"], ...FORMATS.map((name) => [name, name.toUpperCase()])]} />
      <${Field} label="Uploaded from" name="created_after" type="date" value=${form.created_after} />
      <${Field} label="Uploaded before" name="created_before" type="date" value=${form.created_before} />
      <${Field} label="At least, in MB" name="min_mb" type="number" min="0" step="any" value=${form.min_mb} />
      <${Field} label="At most, in MB" name="max_mb" type="number" min="0" step="any" value=${form.max_mb} />
      <${Field} label="State" name="status" value=${form.status ?? ""}
        options=${[["", "Any"], ...["completed", "pending", "processing", "failed"].map((name) => [name, capital(name)])]} />
      <${Field} label="Order" name="sort" value=${form.sort ?? ""} options=${SORTS} />
    </div>
  </${FormDialog}>`;
}

export function UrlDialog({ onClose }) {
  return html`<${FormDialog} title="Add an image by its URL" action="Add" onClose=${onClose} onSubmit=${({ url }) => addUrl(url)}>
    <${Field} label="URL" name="url" type="url" required autofocus placeholder="https://" hint="The server fetches the image." />
  </${FormDialog}>`;
}

export function TagDialog({ count, onTag, onClose }) {
  const words = (text) => text.split(",").map((tag) => tag.trim().toLowerCase()).filter(Boolean);
  return html`<${FormDialog} title="Tag ${plural(count, "image")}" action="Tag" onClose=${onClose}
      onSubmit=${({ add, take }) => onTag({ add: words(add), take: words(take) })}>
    <${Field} label="Add" name="add" autofocus hint="Separated by commas" />
    <${Field} label="Remove" name="take" />
  </${FormDialog}>`;
}

export function TransformDialog({ count, onTransform, onClose }) {
  const { data: presets, error, reload } = useResource(() => all("/api/presets", { limit: 100 }), []);
  const body = () => {
    if (error) return html`<${Failure} error=${error} onRetry=${reload} />`;
    if (!presets) return html`<${Loading} />`;
    if (!presets.length) return html`<p>There is no preset yet. <a href="${BASE}/pipeline" onClick=${onClose}>Build a pipeline</a> and save it as one.</p>`;
    return html`<${Field} label="Preset" name="preset" required options=${presets.map(({ name }) => [name, name])} />
      <${Field} label="Results" name="retention" value="keep" options=${[["keep", "Keep them"], ["ephemeral", "Let them expire"]]} />`;
  };
  return html`<${FormDialog} title="Transform ${plural(count, "image")}" action="Transform" onClose=${onClose}
    onSubmit=${({ preset, retention }) => preset && onTransform({ preset, retention })}>${body()}</${FormDialog}>`;
}
