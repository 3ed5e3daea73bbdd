// Additions to Piccolo's pages: a start page, thumbnails that open, readable values, and actions.
// Piccolo renders its pages; after each rendering, `decorate` adds to them.

import { showMessage } from "./elements.js";
import { decorateList } from "./list.js";
import { nameControls } from "./names.js";
import { showStart } from "./overview.js";
import { decorateRow } from "./record.js";
import { LoggedOut, get } from "./requests.js";
import { refreshTimes } from "./values.js";

const NAMES = {
  "piccolo user": "user", "api key": "API key", "Api Key": "API key",
  "Piccolo User": "User", "Edit Piccolo User": "Edit User", "Add Piccolo User": "Add User",
};
const REFRESH_TIMES_MS = 20_000;
const RETRY_MS = 5_000;

const loaded = new Map();

// Returns an answer that is kept for the life of the page, or undefined until it is there.
function kept(path) {
  if (!loaded.has(path)) {
    loaded.set(path, undefined);
    get(path).then((answer) => {
      loaded.set(path, answer);
      scheduleDecorate();
    }, (error) => {
      setTimeout(() => loaded.delete(path), RETRY_MS);
      if (!(error instanceof LoggedOut)) showMessage(error.message, "bad");
    });
  }
  return loaded.get(path);
}

const currentPage = () => {
  const [table = "", row = ""] = location.hash.replace(/^#\//, "").split("?")[0].split("/");
  return { table, row };
};

function rename() {
  for (const name of document.querySelectorAll(".table_list a span, #app h1, .modal h1")) {
    if (NAMES[name.textContent]) name.textContent = NAMES[name.textContent];
  }
}

// Says to the style sheet what the page may offer: nothing until it is known.
function offer({ add = false, delete: remove = false, edit = [] } = {}) {
  document.body.dataset.can = [add && "add", remove && "delete", edit.length && "edit"].filter(Boolean).join(" ");
}

function decorate() {
  const { table, row } = currentPage();
  document.body.dataset.table = table;
  rename();
  nameControls();
  if (!document.querySelector("#nav")) return offer(); // nobody has logged in
  if (!table) return showStart();
  const access = kept("admin-api/access")?.[table];
  offer(access);
  const schema = access && kept(`api/tables/${table}/schema`);
  if (!schema) return;
  if (row && row !== "add") decorateRow(table, row, schema, access.edit);
  else if (!row) decorateList(table, schema);
}

let scheduled = 0;
function scheduleDecorate() {
  cancelAnimationFrame(scheduled);
  scheduled = requestAnimationFrame(decorate);
}
new MutationObserver(scheduleDecorate).observe(document.body, { childList: true, subtree: true, characterData: true });
addEventListener("hashchange", scheduleDecorate);
addEventListener("change", scheduleDecorate);
setInterval(refreshTimes, REFRESH_TIMES_MS);
scheduleDecorate();
