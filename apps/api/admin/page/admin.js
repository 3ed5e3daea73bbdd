// What Piccolo's pages lack: a start page, thumbnails that open, readable values, and what operators do.
// The pages draw themselves; whenever they have drawn, `decorate` adds what is missing.

const RECORDS = ["image", "job", "batch", "product_image", "webhook_delivery", "refresh_token"];
const NAMES = { "piccolo user": "user" };
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const REFRESH_MS = 10_000;
const SHOWN_MS = 1_200; // until the rows are asked for again

const where = () => {
  const [table = "", row = ""] = location.hash.replace(/^#\//, "").split("?")[0].split("/");
  return { table, row };
};

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};

// Asking the server

const csrf = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";

class LoggedOut extends Error {
  message = "Log in again.";
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "X-CSRFToken": csrf(), "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(`./desk/${path}/`, options);
  const told = await answer.json();
  if (answer.status === 401) throw new LoggedOut();
  if (!answer.ok) throw new Error(told.detail ?? told.error ?? answer.statusText);
  return told;
}

function tell(text, kind = "good") {
  document.querySelector("#told")?.remove();
  const box = element("div", { id: "told", class: kind, role: "status" }, text);
  document.body.append(box);
  setTimeout(() => box.remove(), 6_000);
}

// Runs `act` over the rows, says how it went, and has the page drawn again.
async function run(ids, act, done) {
  let worked = 0;
  try {
    for (const id of ids) {
      await act(id);
      worked += 1;
    }
    tell(done(worked));
  } catch (error) {
    tell(error.message, "bad");
  }
  if (worked) setTimeout(() => location.reload(), SHOWN_MS);
}

const retry = (ids) => run(ids, (id) => ask(`jobs/${id}/retry`, {}), (n) => `${n} queued again`);
const redeliver = (ids) => run(ids, (id) => ask(`deliveries/${id}/redeliver`, {}), (n) => `${n} on their way again`);
const remove = (ids) => {
  if (!confirm(`Delete ${ids.length} image(s) with their files, now and for good?`)) return;
  run([ids], (all) => ask("images/delete", { ids: all }), () => `${ids.length} deleted`);
};

const retryBatch = (ids) => run(ids, (id) => ask(`batches/${id}/retry`, {}), (n) => `${n} batch(es) under way again`);

const ACTIONS = {
  batch: { label: "Retry failures", act: retryBatch, title: "Run again what has failed", fits: (row) => Number(row.failed) > 0 },
  job: { label: "Retry", act: retry, title: "Run the job again", fits: (row) => row.status === "failed" },
  webhook_delivery: { label: "Redeliver", act: redeliver, title: "Send the notice again", fits: (row) => ["failed", "delivered"].includes(row.status) },
  image: { label: "Delete", act: remove, title: "Delete the image and its file, now" },
};

// Pictures

function view(id) {
  const file = `./desk/images/${id}/file/`;
  const dialog = element("dialog", { id: "viewer", onclick: () => dialog.close(), onclose: () => dialog.remove() },
    element("img", { src: file, alt: "The image in full size" }),
    element("p", {}, element("a", { href: `#/image/${id}/` }, "Row"), element("a", { href: file, target: "_blank" }, "File")));
  document.body.append(dialog);
  dialog.showModal();
}

function thumbnail(id) {
  const picture = element("img", { src: `./desk/images/${id}/thumbnail/`, alt: "no picture" });
  return element("button", { class: "thumbnail", type: "button", title: "Open in full size", onclick: () => view(id) }, picture);
}

// Puts a picture before what a cell says; a cell that is drawn again for another row gets another.
function illustrate(cell, id) {
  if (cell.dataset.pictured === id && cell.querySelector(".thumbnail")) return;
  cell.querySelector(".thumbnail")?.remove();
  cell.dataset.pictured = id;
  cell.prepend(thumbnail(id));
}

// Lists

const readable = {
  bytes: (text) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let size = Number(text), unit = 0;
    for (; size >= 1000 && unit < units.length - 1; unit += 1) size /= 1000;
    return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
  },
  date: (text) => new Date(text).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
};

function say(cell, text) {
  if (cell.dataset.says !== text) cell.dataset.says = text;
}

function decorateRow(table, row, columns) {
  const id = row.querySelector("td input[type=checkbox]")?.value;
  if (!id) return;
  [...row.cells].forEach((cell, at) => {
    const text = cell.querySelector(":scope > span")?.textContent.trim() ?? "";
    const link = cell.querySelector('a[href^="#/image/"]')?.getAttribute("href").split("/")[2];
    if (table === "image" && columns[at] === "object key") illustrate(cell, id);
    else if (link && table !== "image") illustrate(cell, link);
    else if (cell.dataset.pictured) {
      cell.querySelector(".thumbnail")?.remove();
      delete cell.dataset.pictured;
    }
    if (DATE.test(text)) say(cell, readable.date(text));
    else if (columns[at] === "size bytes") say(cell, readable.bytes(text));
    else if (cell.dataset.says) delete cell.dataset.says;
    const own = cell.querySelector(`a[href="#/${table}/${id}/"]`);
    if (own) own.dataset.short = `… ${id.slice(-6)}`;
    if (columns[at] === "status") cell.dataset.status = text.toLowerCase();
  });
  offer(table, id, row, columns);
}

const valuesOf = (row, columns) =>
  Object.fromEntries(columns.map((name, at) => [name, row.cells[at]?.querySelector(":scope > span")?.textContent.trim().toLowerCase()]));

// A button in the last cell of a row with which something can be done.
function offer(table, id, row, columns) {
  const action = ACTIONS[table];
  const fits = action && (action.fits?.(valuesOf(row, columns)) ?? true);
  const cell = row.cells[row.cells.length - 1];
  const there = cell.querySelector(".act");
  if (there && (!fits || there.dataset.row !== id)) there.remove();
  if (!fits || cell.querySelector(".act")) return;
  cell.prepend(element("button", { class: "act", type: "button", title: action.title, "data-row": id, onclick: () => action.act([id]) }, action.label));
}

function decorateList(table) {
  const list = document.querySelector(".table_wrapper table");
  if (!list?.tHead) return;
  const columns = [...list.tHead.rows[0].cells].map((cell) => cell.textContent.trim().toLowerCase());
  for (const row of list.tBodies[0]?.rows ?? []) decorateRow(table, row, columns);
  offerForAll(table, [...list.querySelectorAll("tbody td:first-child input:checked")].map((box) => box.value));
}

// One button for all rows that are ticked.
function offerForAll(table, ids) {
  const bar = document.querySelector(".title_bar .buttons") ?? document.querySelector(".buttons");
  const action = ACTIONS[table];
  const there = document.querySelector("#act-on-all");
  if (there?.dataset.rows === ids.join()) return;
  there?.remove();
  if (!bar || !action || !ids.length) return;
  bar.prepend(element("button", { id: "act-on-all", class: "act", type: "button", "data-rows": ids.join(), onclick: () => action.act(ids) }, `${action.label} (${ids.length})`));
}

// One row

function decoratePage(table, id) {
  const form = document.querySelector("#app form");
  if (!form || document.querySelector("#row-desk")?.dataset.row === id) return;
  document.querySelector("#row-desk")?.remove();
  const desk = element("div", { id: "row-desk", "data-row": id });
  if (table === "image") desk.append(element("button", { type: "button", class: "whole", title: "Open in full size", onclick: () => view(id) }, element("img", { src: `./desk/images/${id}/file/`, alt: "The image" })));
  const action = ACTIONS[table];
  if (action) desk.append(element("button", { class: "act", type: "button", title: action.title, onclick: () => action.act([id]) }, action.label));
  form.before(desk);
}

// The start page

const number = (value) => Number(value).toLocaleString("en-GB");
const card = (label, value, href, kind = "") => element("a", { class: `card ${kind}`, href, "data-card": label }, element("strong", {}, value), element("span", {}, label));

const table = (caption, heads, rows, none) => element("table", {}, element("caption", {}, caption),
  element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", {}, head)))),
  element("tbody", {}, ...(rows.length ? rows : [element("tr", {}, element("td", { colspan: heads.length, class: "none" }, none))])));

function overview({ counts, queues, failures }) {
  const failed = failures.reduce((sum, one) => sum + one.jobs, 0);
  const waiting = queues.reduce((sum, one) => sum + one.waiting, 0);
  return [
    element("div", { class: "cards" },
      card("images", number(counts.images), "#/image/"),
      card("stored", readable.bytes(counts.stored_bytes), "#/image/?__order=-size_bytes"),
      card("accounts", number(counts.accounts), "#/piccolo_user/"),
      card("jobs waiting", number(waiting), "#/job/?status=queued", waiting > 1000 ? "busy" : ""),
      card("done in the last hour", number(counts.completed_jobs), "#/job/?status=completed"),
      card("failed in the last hour", number(failed), "#/job/?status=failed", failed ? "bad" : ""),
      card("batches under way", `${number(counts.open_batches)} of ${number(counts.batches)}`, "#/batch/"),
      card("notices pending", number(counts.pending_deliveries), "#/webhook_delivery/?status=pending"),
      card("notices failed", number(counts.failed_deliveries), "#/webhook_delivery/?status=failed", counts.failed_deliveries ? "bad" : "")),
    element("div", { class: "tables" },
      table("Queues", ["queue", "waiting", "running"], queues.map((one) => element("tr", {},
        element("td", {}, `${one.kind}${one.priority === "bulk" ? " (bulk)" : ""}`), element("td", {}, number(one.waiting)), element("td", {}, number(one.running)))), "All queues are empty."),
      table("Failures of the last hour", ["error", "jobs"], failures.map((one) => element("tr", {},
        element("td", {}, element("a", { href: `#/job/?status=failed&error_code=${one.error_code ?? ""}` }, one.error_code ?? "unknown")), element("td", {}, number(one.jobs)))), "None.")),
  ];
}

async function drawStart() {
  const welcome = document.querySelector(".welcome");
  if (!welcome || welcome.querySelector("#overview")) return;
  const section = element("section", { id: "overview" });
  welcome.append(section);
  while (section.isConnected) {
    try {
      section.replaceChildren(...overview(await ask("overview")));
    } catch (error) {
      if (error instanceof LoggedOut) return section.remove(); // the pages ask for a login by themselves
      tell(error.message, "bad");
    }
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}

function rename() {
  for (const name of document.querySelectorAll(".table_list a span")) name.textContent = NAMES[name.textContent] ?? name.textContent;
}

function decorate() {
  const { table, row } = where();
  document.body.dataset.table = table;
  document.body.dataset.record = RECORDS.includes(table);
  rename();
  if (!table) drawStart();
  else if (row && row !== "add") decoratePage(table, row);
  else decorateList(table);
}

let drawn = 0;
const soon = () => {
  cancelAnimationFrame(drawn);
  drawn = requestAnimationFrame(decorate);
};
new MutationObserver(soon).observe(document.body, { childList: true, subtree: true, characterData: true });
addEventListener("hashchange", soon);
addEventListener("change", soon);
soon();
