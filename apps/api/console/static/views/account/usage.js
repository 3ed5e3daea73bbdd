// What the account uses of each limited resource.
import { html } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { ago, bytes, plural } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { Failure, Loading } from "../../components/states.js";
import { Head } from "./pieces.js";

export function Usage() {
  const found = useResource(async (signal) => {
    const [account, usage] = await Promise.all([
      api.get("/accounts/me", {}, { signal }),
      api.get("/accounts/me/usage", {}, { signal }),
    ]);
    return { account, usage };
  }, []);
  if (found.error) return html`<${Failure} error=${found.error} onRetry=${found.reload} />`;
  if (!found.data) return html`<${Loading} />`;
  const { account, usage } = found.data;
  const stored = usage.stored_bytes + usage.reserved_bytes;
  return html`<section class="stack"><${Head} title=${account.username} text="${account.email}, last login ${account.last_login ? ago(account.last_login) : "never"}" />
    <div class="tiles">
      <${Tile} title="Stored files" used=${stored} limit=${usage.quota_bytes} text="${bytes(stored)} of ${bytes(usage.quota_bytes)}"
        more=${usage.reserved_bytes > 0 && `${bytes(usage.reserved_bytes)} of it are reserved for direct uploads`} />
      <${Tile} title="Jobs under way" used=${usage.waiting_jobs} limit=${usage.quota_jobs} text="${usage.waiting_jobs.toLocaleString("en")} of ${plural(usage.quota_jobs, "job")}" />
      ${usage.edits.configured && html`<${Edits} edits=${usage.edits} />`}
    </div></section>`;
}

function Edits({ edits }) {
  const { today, total, per_day: limit } = edits;
  return html`<${Tile} title="Edits today" used=${today.edits} limit=${limit} text="${today.edits} of ${plural(limit, "image")}"
    more="${plural(total.images, "image")} and ${plural(total.total_tokens, "token")} since the beginning" />`;
}

function Tile({ title, used, limit, text, more }) {
  const part = limit ? Math.min(1, used / limit) : 0;
  return html`<div class="card stack tile"><h3>${title}</h3><p class="amount">${text}</p>
    <div class="bar ${part > 0.9 ? "failed" : ""}" role="meter" aria-label=${title} aria-valuemin="0" aria-valuemax=${limit} aria-valuenow=${used}>
      <span style=${{ transform: `scaleX(${part})` }}></span></div>
    ${more && html`<p class="soft small">${more}</p>`}</div>`;
}
