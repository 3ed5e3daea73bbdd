// Messages that could not become jobs.
import { html, useState } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { Dialog } from "../../components/dialog.js";
import { bytes } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { toast } from "../../components/toast.js";
import { agreed } from "../account/pieces.js";
import { Act, Table } from "./pieces.js";

const ADDRESS = "/api/operator/dead-letters";

export function DeadLetters() {
  const found = useResource(async (signal) => ({ items: await api.get(ADDRESS, {}, { signal }), next: null }), []);
  const [shown, setShown] = useState(null);
  const requeue = async (letter) => {
    await api.post(`${ADDRESS}/${letter.id}/requeue`);
    toast("The message is submitted again", { kind: "good" });
    await found.reload();
  };
  const drop = (letter) => agreed(`Delete the message ${letter.id}?`, { text: "It is gone for good.", action: "Delete" }, async () => {
    await api.delete(`${ADDRESS}/${letter.id}`);
    await found.reload();
  });
  return html`<section class="stack" aria-labelledby="letters-title">
    <div class="section-head"><h2 id="letters-title">Dead letters</h2><div class="filters"><${Act} run=${found.reload}>Load again</${Act}></div></div>
    <p class="soft">Messages of other programs that could not become jobs, the oldest first. Each has its reason; once that is mended, submit it again.</p>
    <${Table} list=${found} label="Dead letters" empty="There are no dead letters." columns=${["Id", "Reason", "Queue", "Sender", "Size", ""]}>${(letter) => html`<tr key=${letter.id}>
      <td><code>${letter.id}</code></td><td class="long">${letter.reason}</td><td>${letter.route}</td><td>${letter.sender ?? "–"}</td><td>${bytes(letter.size_bytes)}</td>
      <td><div class="row"><${Act} run=${async () => setShown(await api.get(`${ADDRESS}/${letter.id}`))} label="Show ${letter.id}">Show</${Act}>
        <${Act} run=${() => requeue(letter)} label="Submit ${letter.id} again">Submit again</${Act}>
        <${Act} run=${() => drop(letter)} kind="danger" label="Delete ${letter.id}">Delete</${Act}></div></td></tr>`}</${Table}>
    ${shown && html`<${Dialog} title="Dead letter ${shown.id}" wide onClose=${() => setShown(null)}>
      <p>${shown.reason}</p>
      <dl class="facts">${[["Message id", shown.message_id], ["Reply to", shown.reply_to], ["Correlation", shown.correlation_id], ...Object.entries(shown.headers)].filter(([, value]) => value)
        .map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      <pre class="code" tabindex="0" role="region" aria-label="Body">${shown.body}</pre>
      <div class="buttons"><button class="button primary" onClick=${() => setShown(null)}>Close</button></div></${Dialog}>`}</section>`;
}
