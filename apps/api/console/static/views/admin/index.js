// What operators do daily: the state of the whole site, and records of all accounts.
import { html, useEffect, useRef } from "../../vendor/preact.js";
import { loadStyle } from "../../components/style.js";
import { Failure, Loading } from "../../components/states.js";
import { session } from "../../session.js";
import { useStore } from "../../store.js";
import { AccountPage, Accounts } from "./accounts.js";
import { Audit } from "./audit.js";
import { Batches, BatchPage } from "./batches.js";
import { DeadLetters } from "./dead-letters.js";
import { Deliveries } from "./deliveries.js";
import { Images } from "./images.js";
import { JobPage } from "./job-page.js";
import { Jobs } from "./jobs.js";
import { Keys } from "./keys.js";
import { Overview } from "./overview.js";
import { Recovery } from "./recovery.js";
import { UploadTokens } from "./upload-tokens.js";
import { Webhooks } from "./webhooks.js";

await Promise.all(["views/account.css", "views/jobs.css", "views/admin.css"].map(loadStyle));

// Each section, and the page of one of its records where there is one.
const SECTIONS = {
  overview: ["Overview", Overview],
  jobs: ["Jobs", Jobs, JobPage],
  images: ["Images", Images],
  batches: ["Batches", Batches, BatchPage],
  webhooks: ["Webhooks", Webhooks],
  deliveries: ["Deliveries", Deliveries],
  accounts: ["Accounts", Accounts, AccountPage],
  keys: ["API keys", Keys],
  "upload-tokens": ["Upload tokens", UploadTokens],
  "dead-letters": ["Dead letters", DeadLetters],
  recovery: ["Recovery", Recovery],
  audit: ["Audit log", Audit],
};

export default function OperatorsView({ params, query }) {
  const { account } = useStore(session);
  const section = params.section ?? "overview";
  const [, List, Page] = SECTIONS[section] ?? [];
  const Shown = params.id ? Page : List;
  const tabs = useRef(null);
  useEffect(() => tabs.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [account]);
  if (!account) return html`<${Loading} />`;
  if (!account.admin) return html`<${Failure} title="Only operators of this server see this." />`;
  return html`<div class="account-view admin-view">
    <div class="view-head"><h1>Operators</h1><a class="button quiet small" href="/admin/" target="_blank" rel="noopener">All tables, row by row</a></div>
    <nav ref=${tabs} class="sections" aria-label="Sections">${Object.entries(SECTIONS).map(([name, [label]]) => html`
      <a href="/console/admin/${name}" aria-current=${name === section ? "page" : undefined}>${label}</a>`)}</nav>
    <div class="section">${Shown ? html`<${Shown} query=${query} id=${params.id} />` : html`<${Failure} title="There is no such section." />`}</div>
  </div>`;
}
