// The start page.

import { element, showMessage } from "./elements.js";
import { LoggedOut, get } from "./requests.js";
import { size, time } from "./values.js";

const REFRESH_MS = 10_000;

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
      card("Storage used", size(counts.stored_bytes), "#/image/?__order=-size_bytes"),
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
        element("td", {}, item.kind), element("td", {}, item.id), element("td", {}, item.reason), element("td", {}, number(item.attempts)), element("td", {}, time(item.retry_at)))), "None.")] : [])),
  ];
}

export async function showStart() {
  const welcome = document.querySelector(".welcome");
  if (!welcome || welcome.querySelector("#overview")) return;
  const section = element("section", { id: "overview" });
  welcome.append(section);
  while (section.isConnected) {
    try {
      section.replaceChildren(...overview(await get("admin-api/overview")));
    } catch (error) {
      if (error instanceof LoggedOut) return section.remove(); // Piccolo's pages show the login
      showMessage(error.message, "bad");
    }
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}
