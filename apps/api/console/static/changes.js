// Changes of all jobs and batches of the account: one event stream of the server for all tabs.
// One of them reads it, and tells the others. A browser opens six connections to a server, so a
// stream in each of seven tabs would leave none for anything else.
import { follow } from "./events.js";
import { exclusively } from "./exclusive.js";

const PATH = "/api/events";
const NAME = "darkroom-changes";
const LINGER_MS = 5_000; // how long the stream outlives the last view that listens

const listeners = new Set(); // of this tab: { onEvent, onState }
const underWay = new Map(); // id -> event; what a tab must know that begins to listen
const channel = new BroadcastChannel(NAME);
let control = null; // of this tab's wish to read the stream, and of its reading
let reads = false; // whether this tab reads the stream
let isLive = false; // whether the stream is open, and what was under way at its begin has been told
let lastId = "";
let closing = 0; // a timer

channel.onmessage = ({ data }) => {
  if (data.kind === "join" && reads) channel.postMessage({ kind: "told", events: [...underWay.values()], isLive });
  if (data.kind === "told" && control && !reads) data.events.forEach(tell);
  if (data.kind === "told" && control && !reads) tellState(data.isLive);
};

// Calls `onEvent({ event, data })` for each event of docs/jobs.md, and `onState(isLive)`; what is under way comes
// first. Returns the function that ends it.
export function listen({ onEvent, onState = () => {} }) {
  const listener = { onEvent, onState };
  listeners.add(listener);
  clearTimeout(closing);
  if (control) {
    underWay.forEach((event) => onEvent(event));
    onState(isLive);
  } else open();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) closing = setTimeout(close, LINGER_MS);
  };
}

function open() {
  control = new AbortController();
  const { signal } = control;
  channel.postMessage({ kind: "join" });
  exclusively(NAME, signal, read).catch(() => {}); // without the stream, views are as they were loaded
}

function close() {
  control.abort();
  control = null;
  underWay.clear();
  tellState(false);
}

async function read(signal) {
  reads = true;
  const share = (event) => {
    tell(event);
    channel.postMessage({ kind: "told", events: [event], isLive });
  };
  const onState = (isOpen) => {
    if (isOpen) return; // it is live when the server says that it is complete
    tellState(false);
    channel.postMessage({ kind: "told", events: [], isLive });
  };
  try {
    await follow(PATH, { onEvent: share, onState, signal, lastId });
  } finally {
    reads = false;
    onState(false);
    channel.postMessage({ kind: "join" }); // another tab may read it already
  }
}

function tell(event) {
  const { data, id } = event;
  lastId = id || lastId;
  if (event.event === "state") {
    if (data.state === "ready") tellState(true);
  } else if (event.event === "deleted" || data.finished_at) underWay.delete(data.id);
  else underWay.set(data.id, event);
  listeners.forEach(({ onEvent }) => onEvent(event));
}

function tellState(next) {
  if (next === isLive) return;
  isLive = next;
  listeners.forEach(({ onState }) => onState(isLive));
}
