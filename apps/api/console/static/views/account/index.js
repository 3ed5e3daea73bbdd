// The account: what programs may do for it, what it uses, and what happens to it.
import { html, useEffect, useRef } from "../../vendor/preact.js";
import { loadStyle } from "../../components/style.js";
import { Failure } from "../../components/states.js";
import { DataSection } from "./data.js";
import { Deliveries } from "./deliveries.js";
import { KeysSection } from "./keys.js";
import { Presets } from "./presets.js";
import { Security } from "./security.js";
import { UploadTokens } from "./upload-tokens.js";
import { Usage } from "./usage.js";
import { Webhooks } from "./webhooks.js";

await loadStyle("views/account.css");

const SECTIONS = {
  usage: ["Usage", Usage],
  keys: ["Keys", KeysSection],
  "upload-tokens": ["Upload tokens", UploadTokens],
  webhooks: ["Webhooks", Webhooks],
  deliveries: ["Deliveries", Deliveries],
  presets: ["Presets", Presets],
  security: ["Security", Security],
  data: ["Export and delete", DataSection],
};

export default function AccountView({ params, query }) {
  const section = params.section ?? "usage";
  const [, Section] = SECTIONS[section] ?? [];
  const tabs = useRef(null);
  useEffect(() => tabs.current.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), []);
  return html`<div class="account-view">
    <div class="view-head"><h1>Account</h1></div>
    <nav ref=${tabs} class="sections" aria-label="Sections">${Object.entries(SECTIONS).map(([name, [label]]) => html`
      <a href="/console/account/${name}" aria-current=${name === section ? "page" : undefined}>${label}</a>`)}</nav>
    <div class="section">${Section ? html`<${Section} query=${query} />` : html`<${Failure} title="There is no such section." />`}</div>
  </div>`;
}
