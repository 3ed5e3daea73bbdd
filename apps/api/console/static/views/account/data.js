// Taking everything along, and deleting the account.
import { html, useState } from "../../vendor/preact.js";
import { api, pathOf } from "../../api.js";
import { FormDialog } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { Icon } from "../../components/icons.js";
import { toastError } from "../../components/toast.js";
import { signOut } from "../../session.js";
import { Head } from "./pieces.js";

export function DataSection() {
  const [asks, setAsks] = useState(false);
  const remove = async ({ password }) => {
    await api.delete("/accounts/me", { password });
    await signOut().catch(() => {}); // the login has ended with the account
  };
  return html`<section class="stack"><${Head} title="Export" text="All records of the account as JSON lines in one ZIP file, without secrets." />
    <form class="card stack narrow" onSubmit=${exported}>
      <label class="row"><input type="checkbox" name="originals" />With all uploaded files</label>
      <div><button class="button primary"><${Icon} name="download" />Download</button></div>
    </form>
    <${Head} title="Delete the account" text="Its images, jobs, batches, keys and webhooks go with it. This cannot be undone." />
    <div><button class="button danger" onClick=${() => setAsks(true)}>Delete the account…</button></div>
    ${asks && html`<${FormDialog} title="Delete the account?" action="Delete everything" onSubmit=${remove} onClose=${() => setAsks(false)}>
      <p>Nobody gets your username afterwards. Download the export first if you want to keep anything.</p>
      <${Field} label="Password" name="password" type="password" autocomplete="current-password" required />
    </${FormDialog}>`}</section>`;
}

// The browser downloads the file by a ticket, so that it need not fit into memory.
async function exported(event) {
  event.preventDefault();
  const originals = event.currentTarget.originals.checked;
  try {
    const { url } = await api.post("/accounts/me/export/ticket");
    const link = document.createElement("a");
    link.href = `${pathOf(url)}&originals=${originals}`;
    link.download = "";
    link.click();
  } catch (error) {
    toastError(error);
  }
}
