// What is done to a selection, a few requests at a time.
import { api, request } from "../../api.js";

const AT_ONCE = 4;

// Calls `run(id)` for each; resolves to { done: [[id, result]], failures: [[id, error]] }.
export async function forEach(ids, run, onProgress = () => {}) {
  const left = [...ids];
  const outcome = { done: [], failures: [] };
  const work = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) {
      try {
        outcome.done.push([id, await run(id)]);
      } catch (error) {
        outcome.failures.push([id, error]);
      }
      onProgress(outcome.done.length + outcome.failures.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}

export const keep = (id) => api.patch(`/api/images/${id}`, { retention: "keep" });
export const remove = (id) => api.delete(`/api/images/${id}`);

// Adds tags to an image and takes others away.
export async function retag(id, { add, take }) {
  const { tags } = await api.get(`/api/images/${id}`);
  const kept = tags.filter((tag) => !take.includes(tag));
  return api.patch(`/api/images/${id}`, { tags: [...new Set([...kept, ...add])] });
}

export function transform(id, { preset, retention }) {
  return api.post(`/api/images/${id}/transform`, { preset, retention });
}

// Saves the files of a selection as one ZIP.
export async function download(ids) {
  const answer = await request("POST", "/api/images/archive", { json: { ids: [...ids] } });
  saveAs(await answer.blob(), /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "images.zip");
}

export function saveAs(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
