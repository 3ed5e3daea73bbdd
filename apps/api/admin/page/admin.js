// Additions to Piccolo's pages: a start page, thumbnails that open, readable values, and actions.
// Piccolo renders its pages; after each rendering, `decorate` adds to them.

const RECORDS = ["image", "job", "batch", "product_image", "webhook_delivery", "refresh_token"];
const NAMES = { "piccolo user": "user" };
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const REFRESH_MS = 10_000;
const RELOAD_MS = 1_200; // after an action, so that its message can be read

const currentPage = () => {
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

// Requests

const csrf = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";

class LoggedOut extends Error {
  message = "Log in again.";
}

async function request(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "X-CSRFToken": csrf(), "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(`./admin-api/${path}/`, options);
  const content = await response.json();
  if (response.status === 401) throw new LoggedOut();
  if (!response.ok) throw new Error(content.detail ?? content.error ?? response.statusText);
  return content;
}

function showMessage(text, kind = "good") {
  document.querySelector("#message")?.remove();
  const box = element("div", { id: "message", class: kind, role: "status" }, text);
  document.body.append(box);
  setTimeout(() => box.remove(), 6_000);
}

// Runs `act` for each row, shows the result, and reloads the page.
async function run(ids, act, done) {
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
  if (succeeded) setTimeout(() => location.reload(), RELOAD_MS);
}

const retry = (ids) => run(ids, (id) => request(`jobs/${id}/retry`, {}), (n) => `${n} job(s) queued`);
const redeliver = (ids) => run(ids, (id) => request(`deliveries/${id}/redeliver`, {}), (n) => `${n} event(s) queued`);
const remove = (ids) => {
  if (!confirm(`Delete ${ids.length} image(s) and their files permanently?`)) return;
  run([ids], (all) => request("images/delete", { ids: all }), () => `${ids.length} image(s) deleted`);
};

const retryBatch = (ids) => run(ids, (id) => request(`batches/${id}/retry`, {}), (n) => `${n} batch(es) restarted`);

const ACTIONS = {
  batch: { label: "Retry failures", act: retryBatch, title: "Run the failed jobs again", fits: (row) => Number(row.failed) > 0 },
  job: { label: "Retry", act: retry, title: "Run the job again", fits: (row) => row.status === "failed" },
  webhook_delivery: { label: "Redeliver", act: redeliver, title: "Send the event again", fits: (row) => ["failed", "delivered"].includes(row.status) },
  image: { label: "Delete", act: remove, title: "Delete the image and its file" },
};

// Pictures

function view(id) {
  const file = `./admin-api/images/${id}/file/`;
  const dialog = element("dialog", { id: "viewer", onclick: () => dialog.close(), onclose: () => dialog.remove() },
    element("img", { src: file, alt: "The image in full size" }),
    element("p", {}, element("a", { href: `#/image/${id}/` }, "Row"), element("a", { href: file, target: "_blank" }, "File")));
  document.body.append(dialog);
  dialog.showModal();
}

function thumbnail(id) {
  const picture = element("img", { src: `./admin-api/images/${id}/thumbnail/`, alt: "no thumbnail" });
  return element("button", { class: "thumbnail", type: "button", title: "Open in full size", onclick: () => view(id) }, picture);
}

// Shows a thumbnail in a cell; Piccolo reuses cells for other rows.
function illustrate(cell, id) {
  if (cell.dataset.thumbnailOf === id && cell.querySelector(".thumbnail")) return;
  cell.querySelector(".thumbnail")?.remove();
  cell.dataset.thumbnailOf = id;
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

function showText(cell, text) {
  if (cell.dataset.text !== text) cell.dataset.text = text;
}

function decorateRow(table, row, columns) {
  const id = row.querySelector("td input[type=checkbox]")?.value;
  if (!id) return;
  [...row.cells].forEach((cell, at) => {
    const text = cell.querySelector(":scope > span")?.textContent.trim() ?? "";
    const link = cell.querySelector('a[href^="#/image/"]')?.getAttribute("href").split("/")[2];
    if (table === "image" && columns[at] === "object key") illustrate(cell, id);
    else if (link && table !== "image") illustrate(cell, link);
    else if (cell.dataset.thumbnailOf) {
      cell.querySelector(".thumbnail")?.remove();
      delete cell.dataset.thumbnailOf;
    }
    if (DATE.test(text)) showText(cell, readable.date(text));
    else if (columns[at] === "size bytes") showText(cell, readable.bytes(text));
    else if (cell.dataset.text) delete cell.dataset.text;
    const own = cell.querySelector(`a[href="#/${table}/${id}/"]`);
    if (own) own.dataset.short = `… ${id.slice(-6)}`;
    if (columns[at] === "status") cell.dataset.status = text.toLowerCase();
  });
  addAction(table, id, row, columns);
}

const valuesOf = (row, columns) =>
  Object.fromEntries(columns.map((name, at) => [name, row.cells[at]?.querySelector(":scope > span")?.textContent.trim().toLowerCase()]));

// Adds a button to the last cell of a row that has an action.
function addAction(table, id, row, columns) {
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
  addActionForSelected(table, [...list.querySelectorAll("tbody td:first-child input:checked")].map((box) => box.value));
}

// Adds one button for all selected rows.
function addActionForSelected(table, ids) {
  const bar = document.querySelector(".title_bar .buttons") ?? document.querySelector(".buttons");
  const action = ACTIONS[table];
  const there = document.querySelector("#act-on-selected");
  if (there?.dataset.rows === ids.join()) return;
  there?.remove();
  if (!bar || !action || !ids.length) return;
  bar.prepend(element("button", { id: "act-on-selected", class: "act", type: "button", "data-rows": ids.join(), onclick: () => action.act(ids) }, `${action.label} (${ids.length})`));
}

// One row

function decoratePage(table, id) {
  const form = document.querySelector("#app form");
  if (!form || document.querySelector("#row-actions")?.dataset.row === id) return;
  document.querySelector("#row-actions")?.remove();
  const panel = element("div", { id: "row-actions", "data-row": id });
  if (table === "image") panel.append(element("button", { type: "button", class: "whole", title: "Open in full size", onclick: () => view(id) }, element("img", { src: `./admin-api/images/${id}/file/`, alt: "The image" })));
  const action = ACTIONS[table];
  if (action) panel.append(element("button", { class: "act", type: "button", title: action.title, onclick: () => action.act([id]) }, action.label));
  form.before(panel);
}

// The start page

const number = (value) => Number(value).toLocaleString("en-GB");
const card = (label, value, href, kind = "") => element("a", { class: `card ${kind}`, href, "data-card": label }, element("strong", {}, value), element("span", {}, label));

const table = (caption, heads, rows, none) => element("table", {}, element("caption", {}, caption),
  element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", {}, head)))),
  element("tbody", {}, ...(rows.length ? rows : [element("tr", {}, element("td", { colspan: heads.length, class: "none" }, none))])));

function overview({ counts, queues, failures, set_aside: setAside }) {
  const failed = failures.reduce((sum, failure) => sum + failure.jobs, 0);
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  return [
    element("div", { class: "cards" },
      card("Images", number(counts.images), "#/image/"),
      card("Storage used", readable.bytes(counts.stored_bytes), "#/image/?__order=-size_bytes"),
      card("Accounts", number(counts.accounts), "#/piccolo_user/"),
      card("Queued jobs", number(waiting), "#/job/?status=queued", waiting > 1000 ? "busy" : ""),
      card("Completed in the last hour", number(counts.completed_jobs), "#/job/?status=completed"),
      card("Failed in the last hour", number(failed), "#/job/?status=failed", failed ? "bad" : ""),
      card("Running batches", `${number(counts.open_batches)} of ${number(counts.batches)}`, "#/batch/"),
      card("Pending webhook deliveries", number(counts.pending_deliveries), "#/webhook_delivery/?status=pending"),
      card("Failed webhook deliveries", number(counts.failed_deliveries), "#/webhook_delivery/?status=failed", counts.failed_deliveries ? "bad" : ""),
      ...(counts.set_aside ? [card("Set aside", number(counts.set_aside), "#set-aside", "bad")] : [])),
    element("div", { class: "tables" },
      table("Queues", ["Queue", "Queued", "Running"], queues.map((queue) => element("tr", {},
        element("td", {}, `${queue.kind}${queue.priority === "bulk" ? " (bulk)" : ""}`), element("td", {}, number(queue.waiting)), element("td", {}, number(queue.running)))), "All queues are empty."),
      table("Failures of the last hour", ["Error code", "Jobs"], failures.map((failure) => element("tr", {},
        element("td", {}, element("a", { href: `#/job/?status=failed&error_code=${failure.error_code ?? ""}` }, failure.error_code ?? "unknown")), element("td", {}, number(failure.jobs)))), "None."),
      ...(setAside.length ? [table("Set aside", ["What", "Id", "Reason", "Attempts", "Next attempt"], setAside.map((item) => element("tr", {},
        element("td", {}, item.kind), element("td", {}, item.id), element("td", {}, item.reason), element("td", {}, number(item.attempts)), element("td", {}, readable.date(item.retry_at)))), "None.")] : [])),
  ];
}

async function showStart() {
  const welcome = document.querySelector(".welcome");
  if (!welcome || welcome.querySelector("#overview")) return;
  const section = element("section", { id: "overview" });
  welcome.append(section);
  while (section.isConnected) {
    try {
      section.replaceChildren(...overview(await request("overview")));
    } catch (error) {
      if (error instanceof LoggedOut) return section.remove(); // Piccolo's pages show the login
      showMessage(error.message, "bad");
    }
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}

function rename() {
  for (const name of document.querySelectorAll(".table_list a span")) name.textContent = NAMES[name.textContent] ?? name.textContent;
}

function decorate() {
  const { table, row } = currentPage();
  document.body.dataset.table = table;
  document.body.dataset.record = RECORDS.includes(table);
  rename();
  if (!table) showStart();
  else if (row && row !== "add") decoratePage(table, row);
  else decorateList(table);
}

let scheduled = 0;
const scheduleDecorate = () => {
  cancelAnimationFrame(scheduled);
  scheduled = requestAnimationFrame(decorate);
};
new MutationObserver(scheduleDecorate).observe(document.body, { childList: true, subtree: true, characterData: true });
addEventListener("hashchange", scheduleDecorate);
addEventListener("change", scheduleDecorate);
scheduleDecorate();
