// Values as people read them.

import { element } from "./elements.js";

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const BYTES = ["size_bytes", "bytes_before", "bytes_after", "max_bytes"];
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const NOTHING = "—";

export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let left = Number(bytes), unit = 0;
  for (; left >= 1000 && unit < units.length - 1; unit += 1) left /= 1000;
  return `${left >= 100 || unit === 0 ? Math.round(left) : left.toFixed(1)} ${units[unit]}`;
}

export function distance(date, now = Date.now()) {
  const seconds = Math.round((date.getTime() - now) / 1000);
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return relative.format(Math.trunc(seconds / length), unit);
}

// A relative time, with the exact one as its title.
export function time(text) {
  const date = new Date(text), exact = date.toISOString();
  return element("time", { datetime: exact, title: exact }, distance(date));
}

// Returns the readable form of a value, or null where the value is readable itself.
export function readable(name, value) {
  if (value === null || value === "" || value === "NULL") return element("span", {}, NOTHING);
  if (typeof value === "boolean") return element("span", {}, value ? "Yes" : "No");
  if (BYTES.includes(name)) return element("span", { title: `${value} bytes` }, size(value));
  if (DATE.test(value)) return time(value);
  return null;
}

export function refreshTimes() {
  for (const shown of document.querySelectorAll("time[datetime]")) {
    const text = distance(new Date(shown.dateTime));
    if (shown.textContent !== text) shown.textContent = text;
  }
}
