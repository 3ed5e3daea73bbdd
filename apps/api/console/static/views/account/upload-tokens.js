// Tokens with which somebody else uploads a few images.
import { html, useState } from "../../vendor/preact.js";
import { all, api } from "../../api.js";
import { FormDialog } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { ago, bytes, plural } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { agreed, Head, Records, ShownOnce } from "./pieces.js";

const MEGABYTE = 1_000_000;
const LIFETIMES = [["3600", "An hour"], ["86400", "A day"], ["604800", "A week"]];

export function UploadTokens() {
  const found = useResource(() => all("/api/upload-tokens"), []);
  const presets = useResource(() => all("/api/presets"), []);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(null);
  const create = async (values) => {
    const wanted = { count: Number(values.count), expires_in: Number(values.expires_in), preset: values.preset || null };
    if (values.megabytes) wanted.max_bytes = Math.round(MEGABYTE * values.megabytes);
    setMade(await api.post("/api/upload-tokens", wanted));
    found.reload();
  };
  const revoke = (token) => agreed(`Revoke the upload token ${token.prefix}…?`, { text: "Its next upload is refused.", action: "Revoke" }, async () => {
    await api.delete(`/api/upload-tokens/${token.id}`);
    found.reload();
  });
  const named = (presets.data ?? []).map((preset) => [preset.name, preset.name]);
  return html`<section class="stack"><${Head} title="Upload tokens" text="A token lets a browser that you do not know upload a few images, and nothing else." action="New token" onAction=${() => setMaking(true)} />
    <${Records} found=${found} empty="There are no upload tokens.">${(token) => html`<li key=${token.id}>
      <div><code>${token.prefix}…</code>
        <p class="soft small">${token.used} of ${plural(token.count, "upload")} used, each up to ${bytes(token.max_bytes)}, ends ${ago(token.expires_at)}</p>
        ${token.operations && html`<p class="soft small">Runs ${token.operations.map((step) => step.op).join(", ")}</p>`}</div>
      <button class="button small danger" onClick=${() => revoke(token)} aria-label="Revoke ${token.prefix}">Revoke</button></li>`}</${Records}>
    ${making && html`<${FormDialog} title="New upload token" action="Create" onSubmit=${create} onClose=${() => setMaking(false)}>
      <${Field} label="Uploads" name="count" type="number" min="1" max="10000" value="1" required />
      <${Field} label="Largest file in MB" name="megabytes" type="number" min="0.1" step="0.1" hint="Empty: as large as the server takes." />
      <${Field} label="Valid for" name="expires_in" options=${LIFETIMES} />
      <${Field} label="Operations" name="preset" options=${[["", "None"], ...named]} hint="A preset runs over each upload." />
    </${FormDialog}>`}
    ${made && html`<${ShownOnce} title="The upload token" secret=${made.token} onClose=${() => setMade(null)} />`}</section>`;
}
