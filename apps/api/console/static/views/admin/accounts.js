// Accounts: who they are, what they use, and their access.
import { html, useState } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { ago, bytes, moment, plural } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { Failure, Loading } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { agreed, ShownOnce } from "../account/pieces.js";
import { KeyRows } from "./keys.js";
import { Act, Choice, Filters, Heading, Table, TextFilter, usePages } from "./pieces.js";

export function Accounts({ query }) {
  const list = usePages("/api/operator/accounts", query);
  return html`<section class="stack" aria-labelledby="accounts-title"><${Heading} id="accounts-title" list=${list}>Accounts</${Heading}>
    <${Filters} at="accounts" query=${query} onReload=${list.reload}>
      <${TextFilter} name="search" label="Part of the name or email" query=${query} />
      <${Choice} name="active" label="State" query=${query} values=${[["true", "Active"], ["false", "Deactivated"]]} /></${Filters}>
    <${Table} list=${list} label="Accounts" empty="No account is like that." columns=${["Name", "Email", "State", "Last login"]}>${(account) => html`<tr key=${account.id}>
      <td class="long"><a href="/console/admin/accounts/${encodeURIComponent(account.username)}">${account.username}</a></td><td class="long">${account.email}</td>
      <td><${State} account=${account} /></td><td>${account.last_login ? ago(account.last_login) : "Never"}</td></tr>`}</${Table}></section>`;
}

function State({ account }) {
  return html`<span class="badge ${account.active ? "good" : "bad"}">${account.active ? "Active" : "Deactivated"}</span>${account.admin && html` <span class="badge">Operator</span>`}`;
}

export function AccountPage({ id }) {
  const address = `/api/operator/accounts/${encodeURIComponent(id)}`;
  const found = useResource((signal) => api.get(address, {}, { signal }), [id]);
  const [reset, setReset] = useState(null);
  if (found.error) return html`<${Failure} title="This account is not here." error=${found.error} onRetry=${found.reload} />`;
  if (!found.data) return html`<${Loading} />`;
  const account = found.data;
  const set = async (active) => {
    found.setData(await api.patch(address, { active }));
    toast(active ? "The account is active again" : "The account is deactivated", { kind: "good" });
  };
  const deactivate = () => agreed(`Deactivate ${account.username}?`, { text: "Its logins end and its API keys are refused. Nothing is deleted; the account can be activated again.", action: "Deactivate" }, () => set(false));
  const endLogins = () => agreed(`End all logins of ${account.username}?`, { text: "Its API keys stay valid.", action: "End the logins" }, async () => {
    await api.delete(`${address}/sessions`);
    await found.reload();
  });
  return html`<section class="stack" aria-labelledby="account-title">
    <nav class="crumb" aria-label="Above"><a href="/console/admin/accounts">Accounts</a></nav>
    <div class="section-head"><h2 id="account-title">${account.username}</h2><${State} account=${account} />
      <div class="filters">
        ${account.active ? html`<${Act} run=${deactivate} kind="danger">Deactivate</${Act}>` : html`<${Act} run=${() => set(true)}>Activate</${Act}>`}
        <${Act} run=${async () => setReset(await api.post(`${address}/password-reset`))}>New password…</${Act}>
        ${account.sessions > 0 && html`<${Act} run=${endLogins}>End logins</${Act}>`}</div></div>
    <div class="halves">
      <section class="card stack" aria-labelledby="who-title"><h3 id="who-title">Account</h3><dl class="facts">
        ${[["Email", account.email], ["Number", String(account.id)], ["Logins", plural(account.sessions, "login") + " open"], ["Last login", account.last_login ? moment(account.last_login) : "Never"]].map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
        <div><dt>Records</dt><dd>${["jobs", "images", "batches", "webhooks", "deliveries"].map((what, nth) => html`${nth > 0 && ", "}<a href="/console/admin/${what}?owner=${encodeURIComponent(account.username)}">${what}</a>`)}</dd></div></dl></section>
      <section class="card stack" aria-labelledby="usage-title"><h3 id="usage-title">Usage</h3><dl class="facts">
        ${usageOf(account.usage).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>
    </div>
    <h3>API keys</h3>
    ${account.keys.length ? html`<${KeyRows} keys=${account.keys.map((key) => ({ ...key, owner: account.username }))} onRevoked=${found.reload} />` : html`<p class="soft nothing">It has no API keys.</p>`}
    ${reset && html`<${ShownOnce} title="A new password for ${account.username}" secret=${reset.url} text="Send it to the owner of the account. It works once, until ${moment(reset.expires_at)}." onClose=${() => setReset(null)} />`}
  </section>`;
}

function usageOf(usage) {
  return [
    ["Stored", `${bytes(usage.stored_bytes + usage.reserved_bytes)} of ${bytes(usage.quota_bytes)}`],
    ["Jobs", `${usage.waiting_jobs.toLocaleString("en")} of ${usage.quota_jobs.toLocaleString("en")} unfinished`],
    ["Edits", `${usage.edits.today.edits} today of ${usage.edits.per_day}, ${usage.edits.total.edits} ever`],
  ];
}
