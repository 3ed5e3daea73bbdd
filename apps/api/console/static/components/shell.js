// The frame around every view: the navigation, who is signed in, and help for keys.
import { html, useState } from "../vendor/preact.js";
import { BASE } from "../router.js";
import { signOut } from "../session.js";
import { useKeys } from "./hooks.js";
import { Icon } from "./icons.js";
import { Keys } from "./keys.js";
import { toastError } from "./toast.js";

const PLACES = [
  ["Library", "/library", "library", /^\/(library|images)/],
  ["Pipeline", "/pipeline", "pipeline", /^\/pipeline/],
  ["Jobs", "/jobs", "jobs", /^\/(jobs|batches)/],
  ["Account", "/account", "account", /^\/account/],
];
const OF_OPERATORS = ["Operators", "/admin", "operators", /^\/admin/];
const STATIC = new URL("..", import.meta.url).pathname;

export function Shell({ path, account, children }) {
  const [helps, setHelps] = useState(false);
  useKeys((event) => {
    if (event.key === "?") setHelps(true);
  });
  return html`<div class="shell">
    <a class="skip" href="#content" onClick=${toContent}>To the content</a>
    <nav class="rail" aria-label="Console">
      <a class="brand" href="${BASE}/library"><img src="${STATIC}favicon.svg" alt="" width="28" height="28" />Darkroom</a>
      ${[...PLACES, ...(account?.admin ? [OF_OPERATORS] : [])].map(([label, to, icon, here]) => html`<a class="place" href="${BASE}${to}" aria-current=${here.test(path) ? "page" : undefined}>
        <${Icon} name=${icon} />${label}</a>`)}
      <div class="foot">
        ${account && html`<span class="who" title=${account.username}>${account.username}</span>`}
        <button class="button quiet small" onClick=${() => setHelps(true)}>Keys <kbd>?</kbd></button>
        <button class="button small" onClick=${() => signOut().catch(toastError)}>Sign out</button>
      </div>
    </nav>
    <header class="top"><a class="brand" href="${BASE}/library"><img src="${STATIC}favicon.svg" alt="" width="24" height="24" />Darkroom</a>
      <button class="button quiet small" onClick=${() => signOut().catch(toastError)}>Sign out</button></header>
    <main id="content" tabindex="-1">${children}</main>
    ${helps && html`<${Keys} onClose=${() => setHelps(false)} />`}
  </div>`;
}

function toContent(event) {
  event.preventDefault();
  document.getElementById("content").focus();
}
