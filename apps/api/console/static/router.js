// Which view an address shows, and moving between addresses without loading the page.
import { createStore } from "./store.js";

export const BASE = "/console";

export const place = createStore(current());

function current() {
  const path = location.pathname.replace(/\/+$/, "").slice(BASE.length) || "/";
  return { path, query: Object.fromEntries(new URLSearchParams(location.search)) };
}

// Goes to an address below /console, such as `/images/019a…`.
export function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", BASE + path);
  place.set(current());
  if (!replace) scrollTo(0, 0);
}

// Returns the view of a path among `routes`, [[pattern, view]], and the parameters of the pattern: `/images/:id`.
export function match(routes, path) {
  for (const [pattern, view] of routes) {
    const names = [];
    const source = pattern.replace(/:(\w+)/g, (_, name) => names.push(name) && "([^/]+)");
    const found = new RegExp(`^${source}$`).exec(path);
    if (found) return { view, params: Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1])])) };
  }
  return null;
}

addEventListener("popstate", () => place.set(current()));

// Plain links work as such; a plain click on one of the console's own stays in the page.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (!link.pathname.startsWith(`${BASE}/`)) return;
  event.preventDefault();
  go(link.pathname.slice(BASE.length) + link.search);
});
