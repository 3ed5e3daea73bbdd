// The uploads of this page: they go on while somebody looks at other views.
import { pause } from "../api.js";
import { sentence } from "../components/states.js";
import { createStore } from "../store.js";
import { faultOf } from "./check.js";
import { sendFile, sendUrl } from "./send.js";

const AT_ONCE = 3;
const LONGEST_PAUSE_S = 30;

// Uploads in the order in which they were added: { id, name, size, state, progress, fault, image }.
// A state is `waiting`, `sending`, `paused`, `offline`, `done`, `failed`, or `refused`, which no retry helps.
export const uploads = createStore([]);

const sources = new Map(); // id -> { file | url, key, control }: what no component needs to know
const listeners = new Set();
let last = 0;

// Calls `listener(image)` for each image that was uploaded; returns a function that ends this.
export function onUploaded(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function addFiles(files) {
  const added = [...files].map((file) => add({ file }, file.name || "pasted image", file.size));
  for (const [index, file] of [...files].entries()) {
    const fault = await faultOf(file).catch(() => "The file cannot be read.");
    change(added[index], fault ? { state: "refused", fault } : { state: "waiting" });
    if (fault) sources.delete(added[index]);
    work();
  }
}

export function addUrl(url) {
  change(add({ url }, url, 0), { state: "waiting" });
  work();
}

function add(source, name, size) {
  const id = (last += 1);
  sources.set(id, { ...source, key: randomKey(), control: null });
  uploads.set((all) => [...all, { id, name, size, state: "checking", progress: 0, fault: "", image: null }]);
  return id;
}

export function pauseUpload(id) {
  change(id, { state: "paused", progress: 0 });
  sources.get(id)?.control?.abort();
}

// Starts a paused or failed upload again, from its first byte.
export function retryUpload(id) {
  change(id, { state: "waiting", fault: "", progress: 0 });
  work();
}

export function removeUpload(id) {
  sources.get(id)?.control?.abort();
  sources.delete(id);
  uploads.set((all) => all.filter((one) => one.id !== id));
  work();
}

export function clearEnded() {
  uploads.get().filter(({ state }) => state === "done" || state === "refused").forEach(({ id }) => sources.delete(id));
  uploads.set((all) => all.filter(({ state }) => state !== "done" && state !== "refused"));
}

export const pauseAll = () => each(["waiting", "sending", "offline"], pauseUpload);
export const resumeAll = () => each(["paused"], retryUpload);
export const retryAll = () => each(["failed"], retryUpload);

function each(states, act) {
  uploads.get().filter(({ state }) => states.includes(state)).forEach(({ id }) => act(id));
}

function work() {
  const all = uploads.get();
  const free = AT_ONCE - all.filter(({ state }) => state === "sending" || state === "offline").length;
  all.filter(({ state }) => state === "waiting").slice(0, Math.max(0, free)).forEach(({ id }) => run(id));
}

async function run(id) {
  const source = sources.get(id);
  const control = (source.control = new AbortController());
  change(id, { state: "sending" });
  try {
    const image = await sentAtLast(id, source, control.signal);
    sources.delete(id);
    change(id, { state: "done", progress: 1, image });
    listeners.forEach((listener) => listener(image));
  } catch (error) {
    if (!control.signal.aborted) change(id, { state: "failed", fault: sentence(error) });
  }
  work();
}

// Not faults of the file, which is sent again when they are over. With `idempotency_key_in_use` the server still
// works on the request whose answer was lost.
const PASSING = ["rate_limited", "idempotency_key_in_use"];
const UNAVAILABLE = [502, 503, 504];

const mayPass = (error) => error instanceof TypeError || PASSING.includes(error.code) || UNAVAILABLE.includes(error.status);

async function sentAtLast(id, { file, url, key }, signal) {
  const options = { key, signal, onProgress: (progress) => change(id, { progress }) };
  for (let pauseS = 1; ; pauseS = Math.min(2 * pauseS, LONGEST_PAUSE_S)) {
    try {
      return await (file ? sendFile(file, options) : sendUrl(url, options));
    } catch (error) {
      if (!mayPass(error) || signal.aborted) throw error;
      change(id, { state: "offline", progress: 0 });
      await Promise.race([pause(error.retryAfterS ?? pauseS, signal), online(signal)]);
      change(id, { state: "sending" });
    }
  }
}

const online = (signal) => new Promise((resolve) => addEventListener("online", resolve, { once: true, signal }));

function change(id, fields) {
  uploads.set((all) => all.map((one) => (one.id === id ? { ...one, ...fields } : one)));
}

function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
}

// Leaving the page would end the uploads.
addEventListener("beforeunload", (event) => {
  if (uploads.get().some(({ state }) => ["waiting", "sending", "offline"].includes(state))) event.preventDefault();
});
