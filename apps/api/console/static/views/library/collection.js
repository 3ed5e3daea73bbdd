// The images that a search finds, page by page: what has been loaded so far, and how many there are in all.
import { api, page } from "../../api.js";
import { createStore } from "../../store.js";
import { alike } from "./by-file.js";

const PAGE = 100;
const DISTANCE = 12; // of look-alikes, in bits

// What the library shows of an image: whole records of thousands would take most of the memory of the page.
const SHOWN = ["id", "filename", "width", "height", "status", "downloadable", "expires_at", "expires_reason", "thumbnail_url", "blurhash", "distance"];
const shown = (image) => Object.fromEntries(SHOWN.filter((name) => name in image).map((name) => [name, image[name]]));

// `search` has the fields of the address (see search.js). Its store: { items, total, error, loading, complete }.
export function createCollection(search) {
  const state = createStore({ items: [], total: 0, error: null, loading: true, complete: false });
  const control = new AbortController();
  let next = null;
  let wanted = 0; // how many images somebody looks at
  let busy = null;

  async function loadMore() {
    const found = next === null ? await first(search, control.signal) : await page(next, undefined, { signal: control.signal });
    next = found.next;
    state.set(({ items }) => {
      const known = new Set(items.map(({ id }) => id));
      const all = [...items, ...found.items.filter(({ id }) => !known.has(id)).map(shown)];
      const total = next ? Math.max(found.total, all.length) : all.length;
      return { items: all, total, error: null, loading: false, complete: !next };
    });
  }

  async function work() {
    try {
      do await loadMore();
      while (next && state.get().items.length < wanted);
    } catch (error) {
      if (!control.signal.aborted) state.set((before) => ({ ...before, error, loading: false }));
    }
    busy = null;
  }

  // Loads until at least `count` images are there.
  function need(count) {
    wanted = Math.max(wanted, count);
    const { items, complete } = state.get();
    if (!busy && !complete && items.length < wanted) busy = work();
    return busy;
  }

  const replace = (image) => state.set((before) => ({ ...before, items: before.items.map((one) => (one.id === image.id ? shown(image) : one)) }));
  const remove = (ids) => state.set((before) => {
    const items = before.items.filter(({ id }) => !ids.has(id));
    return { ...before, items, total: before.total - (before.items.length - items.length) };
  });
  // Puts a new image in its place, the newest first; one that is older than what has been loaded comes with its page.
  const insert = (image) => state.set((before) => {
    const items = before.items.filter(({ id }) => id !== image.id);
    const at = items.findIndex(({ id }) => id < image.id); // ids begin with the time
    if (at < 0 && !before.complete) return before;
    items.splice(at < 0 ? items.length : at, 0, shown(image));
    return { ...before, items, total: before.total + items.length - before.items.length };
  });
  const has = (id) => state.get().items.some((one) => one.id === id);
  // Loads the first page again, and puts what is new before the rest.
  async function refresh() {
    const found = await first(search, control.signal);
    const fresh = new Set(found.items.map(({ id }) => id));
    state.set((before) => {
      const items = [...found.items.map(shown), ...before.items.filter(({ id }) => !fresh.has(id))];
      return { ...before, items, total: Math.max(found.total, items.length) };
    });
  }

  need(PAGE);
  return { state, need, has, replace, remove, insert, refresh, close: () => control.abort() };
}

async function first({ like, like_file: file, ...filters }, signal) {
  if (!like && !file) return page("/api/images", { ...filters, limit: PAGE }, { signal });
  const limits = { max_distance: DISTANCE, limit: PAGE };
  const found = await (file ? alike(file, limits, signal) : api.get(`/api/images/${like}/similar`, limits, { signal }));
  if (!Array.isArray(found)) throw new Error("The image is being described. Try again in a moment.");
  return { items: found, total: found.length, next: null };
}
