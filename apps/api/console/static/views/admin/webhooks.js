// Webhooks of all accounts: where events go, and whether they arrive.
import { html } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { ago, plural } from "../../components/format.js";
import { toast } from "../../components/toast.js";
import { agreed } from "../account/pieces.js";
import { Act, Choice, Filters, Heading, Table, TextFilter, usePages } from "./pieces.js";

const REASONS = { gone: "The URL answered 410", by_owner: "By its account", by_operator: "By an operator" };
const COUNTED = 1000; // deliveries that wait, at most

export function Webhooks({ query }) {
  const list = usePages("/api/operator/webhooks", query);
  const set = async (hook, active) => {
    list.replace(await api.patch(`/api/operator/webhooks/${hook.id}`, { active }));
    toast(active ? "The webhook is enabled" : "The webhook is disabled", { kind: "good" });
  };
  const disable = (hook) => agreed(`Disable the webhook of ${hook.owner}?`, { text: `${hook.url} gets no events; those that wait are given up. The account can enable it again.`, action: "Disable" }, () => set(hook, false));
  return html`<section class="stack" aria-labelledby="webhooks-title"><${Heading} id="webhooks-title" list=${list}>Webhooks</${Heading}>
    <${Filters} at="webhooks" query=${query} onReload=${list.reload}>
      <${TextFilter} name="owner" label="Account" query=${query} />
      <${Choice} name="active" label="State" query=${query} values=${[["true", "Active"], ["false", "Disabled"]]} /></${Filters}>
    <${Table} list=${list} label="Webhooks" empty="No webhook is like that." columns=${["State", "Address", "Account", "Delivered", "Given up", "Waiting", ""]}>${(hook) => html`<tr key=${hook.id}>
      <td><${State} hook=${hook} /></td>
      <td class="long">${hook.url}<br /><span class="soft">${hook.events.join(", ")}</span>${hook.last_error && html`<p class="bad">${hook.last_error}</p>`}</td>
      <td><a href="/console/admin/webhooks?owner=${encodeURIComponent(hook.owner)}">${hook.owner}</a></td>
      <td class="line">${when(hook.last_delivered_at)}</td><td class="line">${when(hook.last_failed_at)}</td>
      <td>${hook.waiting.toLocaleString("en")}${hook.waiting === COUNTED && "+"}</td>
      <td><div class="row wraps"><a class="button small" href="/console/admin/deliveries?webhook=${hook.id}" aria-label="Deliveries to ${hook.url}">Deliveries</a>
        ${hook.active ? html`<${Act} run=${() => disable(hook)} kind="danger" label="Disable ${hook.url}">Disable</${Act}>`
          : html`<${Act} run=${() => set(hook, true)} label="Enable ${hook.url}">Enable</${Act}>`}</div></td></tr>`}</${Table}>
    <p class="soft">Deliveries to a <code>webhook_url</code> of a single request belong to no webhook: they are under <a href="/console/admin/deliveries">Deliveries</a>. Finished deliveries are kept for 30 days.</p></section>`;
}

const when = (time) => (time ? ago(time) : "Never");

function State({ hook }) {
  if (hook.active) return html`<span class="badge good">Active</span>`;
  return html`<span class="badge bad">Disabled</span><br /><span class="soft">${REASONS[hook.disabled_reason] ?? hook.disabled_reason}</span>`;
}
