// What is known of an image: its file, its hashes, what its metadata say, and when it goes.
import { html, useState } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { CopyButton } from "../../components/copy-as.js";
import { FormDialog } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { ago, bytes, moment } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { Failure, Loading } from "../../components/states.js";

const SHOWN_ELSEWHERE = new Set(["id", "format", "mime", "width", "height", "frames", "size_bytes", "md5", "phash", "colors", "hash_version", "blurhash"]);
const HASHES = [["sha256", "SHA-256"], ["phash", "Perceptual"], ["dhash", "Difference"], ["average_hash", "Average"], ["colorhash", "Colour"]];

export function Details({ image, onKeep, onChange }) {
  const [changing, setChanging] = useState(false);
  const { data, error, reload } = useResource((signal) => api.get(`/api/images/${image.id}/metadata`, {}, { signal }), [image.id, image.md5]);
  const found = data && "sha256" in data ? data : null; // else it is the job that looks at it
  return html`<div class="stack">
    <section class="card"><h2>File</h2>
      <${Facts} facts=${[
        ["Format", `${image.format.toUpperCase()}, ${image.width} × ${image.height} px${image.frames > 1 ? `, ${image.frames} frames` : ""}`],
        ["Size", `${bytes(image.size_bytes)} (${image.size_bytes.toLocaleString("en")} bytes)`],
        ["Stored", `${moment(image.created_at)} (${ago(image.created_at)})`],
        ["Source", image.source_url],
        ["Tags", image.tags.join(", ")],
        ["Camera", image.camera],
        ["Colours", found && html`<span class="swatches">${found.colors.map((colour) => html`<span title=${colour} style=${{ background: colour }}></span>`)}</span>`],
      ]} />
      <div><button class="button small" onClick=${() => setChanging(true)}>Change name and tags</button></div>
      ${changing && html`<${Change} image=${image} onChange=${onChange} onClose=${() => setChanging(false)} />`}
    </section>
    <section class="card"><h2>How long it stays</h2>${image.expires_at
      ? html`<p>Deleted ${ago(image.expires_at)}, at ${moment(image.expires_at)}: ${image.expires_reason}.</p>
          <button class="button" onClick=${onKeep}>Keep it</button>`
      : html`<p>Until you delete it.</p>`}</section>
    <section class="card"><h2>Hashes</h2>
      <${Facts} mono facts=${[["MD5", image.md5], ...HASHES.map(([key, label]) => [label, found?.[key] ?? image[key]])]} /></section>
    <section class="card"><h2>Metadata</h2>
      ${error ? html`<${Failure} error=${error} onRetry=${reload} />` : !data ? html`<${Loading} />` : found
        ? html`<${Facts} facts=${rows(found)} />`
        : html`<p class="soft">The image is being described.</p><button class="button small" onClick=${reload}>Look again</button>`}
    </section>
  </div>`;
}

function Change({ image, onChange, onClose }) {
  const save = ({ filename, tags, public: shown }) =>
    onChange({ filename, tags: tags.split(",").map((tag) => tag.trim()).filter(Boolean), ...(image.retention === "keep" ? { public: Boolean(shown) } : {}) });
  return html`<${FormDialog} title="Name and tags" action="Save" onSubmit=${save} onClose=${onClose}>
    <${Field} label="Name" name="filename" required maxlength="255" defaultValue=${image.filename} />
    <${Field} label="Tags" name="tags" defaultValue=${image.tags.join(", ")} hint="Separated by commas" />
    ${image.retention === "keep" && html`<label class="check"><input type="checkbox" name="public" defaultChecked=${image.public} /> Addresses with a public preset open it without a signature</label>`}
  </${FormDialog}>`;
}

export function Facts({ facts, mono = false }) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return html`<dl class="facts">${known.map(([label, value]) => html`<div><dt>${label}</dt>
    <dd class=${mono ? "mono" : ""}>${value}${mono && html` <${CopyButton} text=${value} label=${`Copy ${label}`} />`}</dd></div>`)}</dl>`;
}

// Every finding as a label and a text; those inside others after them.
function rows(found, prefix = "") {
  return Object.entries(found).flatMap(([key, value]) => {
    if (value === null || (!prefix && (SHOWN_ELSEWHERE.has(key) || HASHES.some(([name]) => name === key)))) return [];
    const label = `${prefix}${key.replaceAll("_", " ")}`;
    if (typeof value === "object" && !Array.isArray(value)) return rows(value, `${label}: `);
    return [[label, Array.isArray(value) ? value.join(" × ") : words(value)]];
  });
}

const words = (value) => (typeof value === "boolean" ? (value ? "yes" : "no") : String(value));
