// What operators do with rows.

import { element, showMessage } from "./elements.js";
import { post } from "./requests.js";

const RELOAD_MS = 1_200; // after an action, so that its message can be read

// Runs `act` for each row, shows the result, and loads the page again, or the one at `next`.
async function run(ids, act, done, next = location.hash) {
  let succeeded = 0;
  try {
    for (const id of ids) {
      await act(id);
      succeeded += 1;
    }
    showMessage(done(succeeded));
  } catch (error) {
    showMessage(error.message, "bad");
  }
  if (!succeeded) return;
  setTimeout(() => {
    location.hash = next;
    location.reload();
  }, RELOAD_MS);
}

const retry = (ids) => run(ids, (id) => post(`jobs/${id}/retry`), (n) => `${n} job(s) queued`);
const redeliver = (ids) => run(ids, (id) => post(`deliveries/${id}/redeliver`), (n) => `${n} event(s) queued`);
const remove = (ids) => {
  if (!confirm(`Delete ${ids.length} image(s) and their files permanently?`)) return;
  run([ids], (all) => post("images/delete", { ids: all }), () => `${ids.length} image(s) deleted`, location.hash.startsWith("#/image/?") ? location.hash : "#/image/");
};

const retryBatch = (ids) => run(ids, (id) => post(`batches/${id}/retry`), (n) => `${n} batch(es) restarted`);

export const ACTIONS = {
  batch: { label: "Retry failures", act: retryBatch, title: "Run the failed jobs again", fits: (row) => Number(row.failed) > 0 },
  job: { label: "Retry", act: retry, title: "Run the job again", fits: (row) => row.status === "failed" },
  webhook_delivery: { label: "Redeliver", act: redeliver, title: "Send the event again", fits: (row) => ["failed", "delivered"].includes(row.status) },
  image: { label: "Delete", act: remove, title: "Delete the image and its file" },
};

export const actionButton = (action, ids, attributes = {}, label = action.label) => element("button",
  { class: "act", type: "button", title: action.title, onclick: () => action.act(ids), ...attributes }, label);
