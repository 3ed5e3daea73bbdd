// Deliveries of webhook events of all accounts.
import { html } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { ago } from "../../components/format.js";
import { toast } from "../../components/toast.js";
import { Act, Choice, Filters, Heading, Table, TextFilter, usePages } from "./pieces.js";

const STATUSES = { pending: ["Waiting", ""], sending: ["On its way", "live"], delivered: ["Delivered", "good"], failed: ["Given up", "bad"] };

export function Deliveries({ query }) {
  const list = usePages("/api/operator/deliveries", query);
  const again = async (delivery) => {
    list.replace(await api.post(`/api/operator/deliveries/${delivery.id}/redeliver`));
    toast("The event is sent again", { kind: "good" });
  };
  return html`<section class="stack" aria-labelledby="deliveries-title"><${Heading} id="deliveries-title" list=${list}>Deliveries</${Heading}>
    <${Filters} at="deliveries" query=${query} onReload=${list.reload}>
      <${TextFilter} name="owner" label="Account" query=${query} />
      <${Choice} name="status" label="State" query=${query} values=${Object.entries(STATUSES).map(([value, [text]]) => [value, text])} />
      <${TextFilter} name="webhook" label="Id of the webhook" query=${query} pattern="[0-9a-fA-F\\-]{36}" title="36 characters" /></${Filters}>
    <${Table} list=${list} label="Webhook deliveries" empty="No delivery is like that." columns=${["State", "Event", "Account", "Address", "Attempts", "Happened", ""]}>${(delivery) => html`<tr key=${delivery.id}>
      <td><${State} status=${delivery.status} /></td><td>${delivery.event}</td>
      <td><a href="/console/admin/deliveries?owner=${encodeURIComponent(delivery.owner)}">${delivery.owner}</a></td>
      <td class="long">${delivery.url}${delivery.last_error && html`<p class="bad">${delivery.last_error}</p>`}</td>
      <td>${delivery.attempts}${delivery.next_attempt_at && delivery.attempts > 0 && html`<br /><span class="soft">next ${ago(delivery.next_attempt_at)}</span>`}</td><td class="line">${ago(delivery.created_at)}</td>
      <td><${Act} run=${() => again(delivery)} label="Send ${delivery.event} to ${delivery.url} again">Send again</${Act}></td></tr>`}</${Table}></section>`;
}

function State({ status }) {
  const [text, kind] = STATUSES[status] ?? [status, ""];
  return html`<span class="badge ${kind}">${text}</span>`;
}
