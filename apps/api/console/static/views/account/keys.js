// Keys by which programs act for the account, and keys that sign addresses of its images.
import { html, useState } from "../../vendor/preact.js";
import { all, api } from "../../api.js";
import { FormDialog } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { ago, moment } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { agreed, Head, Records, ShownOnce } from "./pieces.js";

const SCOPES = [
  ["images:read", "See and download images"],
  ["images:write", "Upload, change and delete images"],
  ["jobs", "See, cancel and retry jobs"],
  ["batches", "Run batches"],
  ["webhooks", "Manage webhooks"],
  ["edits", "Edit by prompt, which may cost money"],
  ["account", "See the account, revoke keys"],
];

export function KeysSection() {
  return html`<${ApiKeys} /><${DeliveryKeys} />`;
}

function ApiKeys() {
  const found = useResource(() => all("/accounts/me/keys"), []);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(null);
  const create = async (values) => {
    const scopes = SCOPES.map(([scope]) => scope).filter((scope) => values[scope]);
    const expires = values.days ? new Date(Date.now() + 86_400_000 * values.days).toISOString() : null;
    const networks = (values.networks ?? "").split(/[\s,]+/).filter(Boolean);
    if (!scopes.length) throw new Error("choose at least one thing that the key may do");
    setMade(await api.post("/accounts/me/keys", { name: values.name, scopes, expires_at: expires, networks }));
    found.reload();
  };
  const revoke = (key) => agreed(`Revoke the key ${key.name}?`, { text: "Its next request is refused.", action: "Revoke" }, async () => {
    await api.delete(`/accounts/me/keys/${key.id}`);
    found.reload();
  });
  return html`<section class="stack"><${Head} title="API keys" text="Programs act for your account with a key, as far as you let them." action="New key" onAction=${() => setMaking(true)} />
    <${Records} found=${found} empty="There are no keys.">${(key) => html`<li key=${key.id}>
      <div><strong>${key.name}</strong> <code>${key.prefix}…</code>
        <p class="soft small">${key.scopes.join(", ")}${key.networks.length > 0 && `; only from ${key.networks.join(", ")}`}</p>
        <p class="soft small">${key.last_used_at ? `Used ${ago(key.last_used_at)}` : "Never used"}, made ${ago(key.created_at)}${key.expires_at ? `, ends ${moment(key.expires_at)}` : ""}</p></div>
      <button class="button small danger" onClick=${() => revoke(key)} aria-label="Revoke ${key.name}">Revoke</button></li>`}</${Records}>
    ${making && html`<${FormDialog} title="New API key" action="Create" onSubmit=${create} onClose=${() => setMaking(false)}>
      <${Field} label="Name" name="name" required maxlength="100" placeholder="The shop's importer" />
      <fieldset class="checks"><legend>The key may</legend>${SCOPES.map(([scope, text]) => html`
        <label class="row"><input type="checkbox" name=${scope} />${text}</label>`)}</fieldset>
      <${Field} label="Valid for" name="days" options=${[["", "Until it is revoked"], ["30", "30 days"], ["90", "90 days"], ["365", "A year"]]} />
      <${Field} label="Only from" name="networks" hint="Addresses or networks, separated by blanks. Empty: from everywhere." />
    </${FormDialog}>`}
    ${made && html`<${ShownOnce} title="The key ${made.name}" secret=${made.key} text="Programs send it as “Authorization: Bearer …”." onClose=${() => setMade(null)} />`}</section>`;
}

function DeliveryKeys() {
  const found = useResource(() => all("/accounts/me/delivery-keys"), []);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(null);
  const create = async ({ name }) => {
    setMade(await api.post("/accounts/me/delivery-keys", { name }));
    found.reload();
  };
  const revoke = (key) => agreed(`Revoke the delivery key ${key.name}?`, { text: "Every address that it signed stops working.", action: "Revoke" }, async () => {
    await api.delete(`/accounts/me/delivery-keys/${key.id}`);
    found.reload();
  });
  return html`<section class="stack"><${Head} title="Delivery keys" text="Your pages sign addresses of images below /t/ with a delivery key." action="New delivery key" onAction=${() => setMaking(true)} />
    <${Records} found=${found} empty="There are no delivery keys.">${(key) => html`<li key=${key.id}>
      <div><strong>${key.name}</strong> <code>${key.key}</code><p class="soft small">Made ${ago(key.created_at)}</p></div>
      <button class="button small danger" onClick=${() => revoke(key)} aria-label="Revoke ${key.name}">Revoke</button></li>`}</${Records}>
    ${making && html`<${FormDialog} title="New delivery key" action="Create" onSubmit=${create} onClose=${() => setMaking(false)}>
      <${Field} label="Name" name="name" required maxlength="100" /></${FormDialog}>`}
    ${made && html`<${ShownOnce} title="The delivery key ${made.name}" secret=${made.secret} text="Its public part is ${made.key}." onClose=${() => setMade(null)} />`}</section>`;
}
