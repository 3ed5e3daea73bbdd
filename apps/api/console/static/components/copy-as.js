// The same work as text for other places, one tab each, with a button that copies it.
import { html, useEffect, useState } from "../vendor/preact.js";
import { api } from "../api.js";
import { copy } from "./clipboard.js";
import { Icon } from "./icons.js";
import { SNIPPETS } from "./snippets.js";
import { sentence } from "./states.js";

export function CopyAs({ image, operations }) {
  const [chosen, choose] = useState("curl");
  const address = useAddress(image, operations, chosen === "URL");
  const work = { origin: location.origin, image, operations };
  const text = chosen === "URL" ? address : SNIPPETS.find(([name]) => name === chosen)[1](work);
  const names = ["curl", "JSON", "URL", "Command line", "Python"];
  return html`<section class="copy-as" aria-label="Copy as">
    <div class="tabs" role="group" aria-label="Copy as">
      ${names.map((name) => html`<button class="tab" aria-pressed=${name === chosen} onClick=${() => choose(name)}>${name}</button>`)}
    </div>
    <div class="snippet"><pre tabindex="0" aria-label=${`As ${chosen}`}>${text}</pre><${CopyButton} text=${text} /></div>
    ${["curl", "Python"].includes(chosen) && html`<p class="hint soft small">Put an <a href="/console/account">API key</a> into the variable <code>API_KEY</code>.</p>`}
  </section>`;
}

export function CopyButton({ text, label = "Copy" }) {
  return html`<button class="button icon small" title=${label} aria-label=${label} onClick=${() => copy(text)}><${Icon} name="copy" size=${16} /></button>`;
}

function useAddress(image, operations, wanted) {
  const [text, setText] = useState("");
  const key = JSON.stringify(operations);
  useEffect(() => {
    if (!wanted) return;
    if (image.retention !== "keep") return setText("Only kept images have addresses. Keep the image first.");
    if (!operations.length) return setText("Add an operation: an address names what it shows.");
    setText("…");
    api.post(`/api/images/${image.id}/urls`, { operations }).then((made) => setText(made.url), (error) => setText(sentence(error)));
  }, [wanted, key, image.id, image.retention]);
  return text;
}
