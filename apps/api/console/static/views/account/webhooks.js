// Addresses that receive signed events.
import { html, useState } from "../../vendor/preact.js";
import { all, api } from "../../api.js";
import { FormDialog } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { ago } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { toast, toastError } from "../../components/toast.js";
import { go } from "../../router.js";
import { agreed, Head, Records, ShownOnce } from "./pieces.js";

const EVENTS = [
  ["job.completed", "A job is done"],
  ["job.failed", "A job has failed"],
  ["batch.completed", "A batch has ended"],
  ["image.expired", "An image has expired"],
];

const REASONS = { gone: "the address answered 410", by_owner: "by you", by_operator: "by an operator of this server" };

export function Webhooks() {
  const found = useResource(() => all("/api/webhooks"), []);
  const [asked, setAsked] = useState(null); // the webhook that is changed, or {} for a new one
  const [made, setMade] = useState(null);
  const save = async (values) => {
    const events = EVENTS.map(([event]) => event).filter((event) => values[event]);
    if (!events.length) throw new Error("choose at least one event");
    if (asked.id) await api.patch(`/api/webhooks/${asked.id}`, { url: values.url, events });
    else setMade(await api.post("/api/webhooks", { url: values.url, events }));
    found.reload();
  };
  return html`<section class="stack"><${Head} title="Webhooks" text="Your server is told when something has happened, by a signed request." action="New webhook" onAction=${() => setAsked({})} />
    <${Records} found=${found} empty="There are no webhooks.">${(webhook) => html`
      <${Webhook} key=${webhook.id} webhook=${webhook} onChange=${found.reload} onEdit=${() => setAsked(webhook)} onSecret=${setMade} />`}</${Records}>
    ${asked && html`<${FormDialog} title=${asked.id ? "Change the webhook" : "New webhook"} action="Save" onSubmit=${save} onClose=${() => setAsked(null)}>
      <${Field} label="Address" name="url" type="url" required value=${asked.url ?? ""} placeholder="https://" />
      <fieldset class="checks"><legend>Send an event when</legend>${EVENTS.map(([event, text]) => html`
        <label class="row"><input type="checkbox" name=${event} defaultChecked=${!asked.id || asked.events.includes(event)} />${text}</label>`)}</fieldset>
    </${FormDialog}>`}
    ${made && html`<${ShownOnce} title="The secret of the webhook" secret=${made.secret} text="It verifies the signature of each event." onClose=${() => setMade(null)} />`}</section>`;
}

function Webhook({ webhook, onChange, onEdit, onSecret }) {
  const address = `/api/webhooks/${webhook.id}`;
  const safely = (run) => () => run().catch(toastError);
  const test = safely(async () => {
    await api.post(`${address}/test`);
    toast("A test event is on its way", { kind: "good", action: { label: "Deliveries", run: () => go(`/account/deliveries?webhook=${webhook.id}`) } });
  });
  const switched = safely(async () => {
    await api.patch(address, { active: !webhook.active });
    onChange();
  });
  const rotate = () => agreed("Make a new secret?", { text: "The present one signs too for 24 hours.", action: "New secret", danger: false },
    async () => onSecret(await api.post(`${address}/secret/rotate`)));
  const remove = () => agreed("Delete the webhook?", { text: `${webhook.url} is told nothing any longer.`, action: "Delete" }, async () => {
    await api.delete(address);
    onChange();
  });
  return html`<li>
    <div><strong>${webhook.url}</strong> <span class="badge ${webhook.active ? "good" : "bad"}">${webhook.active ? "On" : "Off"}</span>
      <p class="soft small">${webhook.events.join(", ")}; made ${ago(webhook.created_at)}</p>
      ${webhook.disabled_reason && html`<p class="small bad">Switched off: ${REASONS[webhook.disabled_reason] ?? webhook.disabled_reason}</p>`}</div>
    <div class="row">
      ${webhook.active && html`<button class="button small" onClick=${test}>Test</button>`}
      <a class="button small" href="/console/account/deliveries?webhook=${webhook.id}">Deliveries</a>
      <button class="button small" onClick=${onEdit}>Change</button>
      <button class="button small" onClick=${switched}>${webhook.active ? "Switch off" : "Switch on"}</button>
      <button class="button small" onClick=${rotate}>New secret</button>
      <button class="button small danger" onClick=${remove}>Delete</button>
    </div></li>`;
}
