// Events that were sent, or could not be, with what the receivers answered.
import { html, useState } from "../../vendor/preact.js";
import { api, page } from "../../api.js";
import { Dialog } from "../../components/dialog.js";
import { ago, moment } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { Icon } from "../../components/icons.js";
import { toast, toastError } from "../../components/toast.js";
import { Head, Records } from "./pieces.js";

const STATUS = { pending: ["Waiting", ""], sending: ["On its way", "live"], delivered: ["Delivered", "good"], failed: ["Failed", "bad"] };

export function Deliveries({ query }) {
  const [next, setNext] = useState(null);
  const found = useResource(async (signal) => {
    const first = await page("/api/webhooks/deliveries", { webhook: query.webhook, limit: 20 }, { signal });
    setNext(first.next);
    return first.items;
  }, [query.webhook]);
  const more = async () => {
    const following = await page(next);
    found.setData((before) => [...before, ...following.items]);
    setNext(following.next);
  };
  const changed = (delivery) => found.setData((before) => before.map((one) => (one.id === delivery.id ? delivery : one)));
  return html`<section class="stack"><${Head} title="Deliveries" text=${query.webhook ? "Events to one webhook, the newest first." : "Events of the last 30 days, the newest first."} />
    <div class="row"><button class="button small" onClick=${found.reload}><${Icon} name="retry" size=${16} />Load again</button>
      ${query.webhook && html`<a class="button small" href="/console/account/deliveries">Of all webhooks</a>`}</div>
    <${Records} found=${found} empty="Nothing was sent yet.">${(delivery) => html`
      <${Delivery} key=${delivery.id} delivery=${delivery} onChange=${changed} />`}</${Records}>
    ${next && html`<button class="button" onClick=${() => more().catch(toastError)}>Show older deliveries</button>`}</section>`;
}

function Delivery({ delivery, onChange }) {
  const [open, setOpen] = useState(null);
  const [text, kind] = STATUS[delivery.status] ?? [delivery.status, ""];
  const show = () => api.get(`/api/webhooks/deliveries/${delivery.id}`).then(setOpen, toastError);
  const again = async () => {
    try {
      onChange(await api.post(`/api/webhooks/deliveries/${delivery.id}/redeliver`));
      toast("The event is sent again", { kind: "good" });
    } catch (error) {
      toastError(error);
    }
  };
  return html`<li>
    <div><strong>${delivery.event}</strong> <span class="badge ${kind}">${text}</span>
      <p class="soft small">To ${delivery.url}, ${ago(delivery.created_at)}</p>
      ${delivery.last_error && html`<p class="small bad">${delivery.last_error}</p>`}
      ${delivery.next_attempt_at && delivery.attempts > 0 && html`<p class="soft small">The next attempt is ${ago(delivery.next_attempt_at)}.</p>`}</div>
    <div class="row"><button class="button small" onClick=${show}>Details</button>
      <button class="button small" onClick=${again}><${Icon} name="retry" size=${16} />Send again</button></div>
    ${open && html`<${Details} delivery=${open} onClose=${() => setOpen(null)} />`}
  </li>`;
}

function Details({ delivery, onClose }) {
  return html`<${Dialog} title="${delivery.event} to ${delivery.url}" wide onClose=${onClose}>
    <h3>Attempts</h3>
    ${delivery.history.length === 0 && html`<p class="soft">None yet.</p>`}
    <ol class="attempts">${delivery.history.map((attempt) => html`<li>
      <span class="soft">${moment(attempt.at)}, ${attempt.took_ms} ms</span>
      <span class=${attempt.error ? "bad" : ""}>${attempt.status_code ?? "no answer"}${attempt.error && `: ${attempt.error}`}</span></li>`)}</ol>
    <h3>Body</h3><pre class="code" tabindex="0">${written(delivery.body)}</pre>
    <div class="buttons"><button class="button primary" onClick=${onClose}>Close</button></div>
  </${Dialog}>`;
}

function written(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
