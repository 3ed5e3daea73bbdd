// The jobs and batches of the account, kept up to date while a view shows them.
import { useEffect } from "../../vendor/preact.js";
import { page } from "../../api.js";
import { listen } from "../../changes.js";
import { createStore, useStore } from "../../store.js";

const WINDOW_MS = 15_000; // over which a rate is measured
const ENDED = ["completed", "failed", "cancelled", "Completed", "Failed"];

// `live` is whether the stream is open and complete; `samples` are [time, done] of each batch.
const feed = createStore({ jobs: new Map(), batches: new Map(), live: false, samples: new Map() });
let users = 0;
let end = null; // what ends the listening
const reloads = createStore(0); // counts the times at which changes may have been missed

export function isUnderWay(record) {
  return !ENDED.includes(record.status);
}

// Listens while the component is shown: { jobs, batches, live, reloads }.
export function useFeed() {
  useEffect(() => {
    users += 1;
    end ??= listen({ onEvent: receive, onState: (live) => feed.set((state) => ({ ...state, live })) });
    return () => {
      users -= 1;
      if (users > 0) return;
      end();
      end = null;
    };
  }, []);
  return { ...useStore(feed), reloads: useStore(reloads) };
}

// Adds records that a list or an answer of the API has; the newest of each wins.
export function note(kind, records) {
  feed.set((state) => {
    const known = new Map(state[kind]);
    records.forEach((record) => known.set(record.id, record));
    return { ...state, [kind]: known };
  });
}

export function forget(kind, id) {
  feed.set((state) => {
    const known = new Map(state[kind]);
    known.delete(id);
    return { ...state, [kind]: known };
  });
}

// Loads a page of a list, and puts its records into the feed.
export async function load(kind, path, query, options) {
  const found = await page(path, query, options);
  note(kind, found.items);
  return { ...found, ids: found.items.map((record) => record.id) };
}

// How many images a second a batch has finished lately; null while that is unknown.
export function rateOf(id, samples) {
  const seen = samples.get(id) ?? [];
  if (seen.length < 2) return null;
  const [[first, before], [last, after]] = [seen[0], seen.at(-1)];
  return last > first ? (1000 * (after - before)) / (last - first) : null;
}

function receive({ event, data }) {
  if (event === "job") note("jobs", [data]);
  if (event === "batch") receiveBatch(data);
  if (event === "deleted") ["jobs", "batches"].forEach((kind) => forget(kind, data.id));
  if (event === "state" && data.state === "gap") reloads.set((count) => count + 1);
}

function receiveBatch(batch) {
  const now = Date.now();
  const seen = (feed.get().samples.get(batch.id) ?? []).filter(([time]) => now - time < WINDOW_MS);
  const samples = new Map(feed.get().samples).set(batch.id, [...seen, [now, batch.completed + batch.failed]]);
  feed.set((state) => ({ ...state, samples }));
  note("batches", [batch]);
}
