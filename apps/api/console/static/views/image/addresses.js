// Links that open the image for a while, and addresses for pages: signed, in several widths and formats.
import { html, useState } from "../../vendor/preact.js";
import { all, api } from "../../api.js";
import { CopyButton } from "../../components/copy-as.js";
import { useSubmit } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { ago } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";

const LIVES = [["3600", "an hour"], ["86400", "a day"], ["604800", "a week"], ["31536000", "a year"]];

export function Addresses({ image }) {
  return html`<div class="stack">
    <${Links} image=${image} />
    ${image.retention === "keep" ? html`<${Delivery} image=${image} />`
      : html`<section class="card"><h2>Addresses for pages</h2><p class="soft">Only kept images have them: this one deletes itself.</p></section>`}
  </div>`;
}

function Links({ image }) {
  const [made, setMade] = useState(null);
  const { submit, fault, busy } = useSubmit(async ({ version, expires_in }) =>
    setMade(await api.post(`/api/images/${image.id}/link`, { version, expires_in: Number(expires_in) })));
  return html`<section class="card"><h2>Link</h2><form class="stack" onSubmit=${submit}>
    <div class="pair">
      <${Field} label="What it opens" name="version" defaultValue="original" options=${[["original", "This image"], ["latest", "Its newest result"]]} />
      <${Field} label="For how long" name="expires_in" defaultValue="3600" options=${LIVES} />
    </div>
    <button class="button" disabled=${busy}>Make a link</button>
    ${fault && html`<p class="notice bad" role="alert">${fault}</p>`}
    ${made && html`<${Text} label=${`Opens without signing in, ends ${ago(made.expires_at)}`} text=${made.url} />`}
  </form></section>`;
}

function Delivery({ image }) {
  const presets = useResource(() => all("/api/presets", { limit: 100 }), []).data ?? [];
  const [made, setMade] = useState(null);
  const { submit, fault, busy } = useSubmit(async ({ preset, steps, alt, sizes }) =>
    setMade(await api.post(`/api/images/${image.id}/urls`, { ...(preset ? { preset } : { steps }), alt, ...(sizes ? { sizes } : {}) })));
  const [preset, setPreset] = useState("");
  return html`<section class="card"><h2>Addresses for pages</h2><form class="stack" onSubmit=${submit}>
    <div class="stack">
      ${presets.length > 0 && html`<${Field} label="Preset" name="preset" value=${preset} onChange=${(event) => setPreset(event.target.value)}
        options=${[["", "None"], ...presets.map((one) => [one.name, one.name])]} />`}
      ${!preset && html`<${Field} label="Steps" name="steps" required defaultValue=${image.focus ? "w_800,h_600,fit_cover,g_focus" : "w_800"} hint="As w_600,h_400,fit_cover:grayscale" />`}
      <${Field} label="Text for who does not see it" name="alt" />
      <${Field} label="How wide the page shows it" name="sizes" placeholder="100vw" />
    </div>
    <button class="button" disabled=${busy}>Make addresses</button>
    ${fault && html`<p class="notice bad" role="alert">${fault}</p>`}
    ${made && html`<${Text} label="Address: the browser chooses the format" text=${made.url} />
      <${Text} label="srcset" text=${made.srcset} /><${Text} label="<picture> for a page" text=${made.picture} />`}
  </form></section>`;
}

function Text({ label, text }) {
  return html`<div class="copied"><span class="small label">${label}</span><div class="snippet"><pre tabindex="0" aria-label=${label}>${text}</pre><${CopyButton} text=${text} label=${`Copy: ${label}`} /></div></div>`;
}
