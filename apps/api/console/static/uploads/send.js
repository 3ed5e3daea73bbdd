// Sends one file with a progress bar, which fetch cannot; or names a URL, and waits for the image.
import { ApiError, api, pathOf, request } from "../api.js";
import { follow } from "../events.js";
import { accessToken, reject } from "../session.js";

const IMAGES = "/api/images";

// Resolves to the image. A repeated call with the same `key` finds what the first one made.
export async function sendFile(file, { key, onProgress, signal }) {
  for (let tried = 1; ; tried += 1) {
    const token = await accessToken();
    const answer = await sent(file, { token, key, onProgress, signal });
    if (answer.ok) return answer.json;
    if (answer.status !== 401 || tried > 1) throw new ApiError(answer.status, answer.json, answer.headers);
    reject(token);
  }
}

function sent(file, { token, key, onProgress, signal }) {
  return new Promise((resolve, refuse) => {
    const call = new XMLHttpRequest();
    const form = new FormData();
    form.append("image", file, file.name);
    call.open("POST", IMAGES);
    call.setRequestHeader("Authorization", `Bearer ${token}`);
    call.setRequestHeader("Idempotency-Key", key);
    call.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    call.onload = () => resolve(answerOf(call));
    call.onerror = () => refuse(new TypeError("the connection broke"));
    call.onabort = () => refuse(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", () => call.abort(), { once: true });
    call.send(form);
  });
}

function answerOf(call) {
  const headers = new Headers({ "Retry-After": call.getResponseHeader("Retry-After") ?? "" });
  let json = {};
  try {
    json = JSON.parse(call.responseText);
  } catch {
    // a proxy answered, and not with JSON: the status says what there is to say
  }
  return { ok: call.status >= 200 && call.status < 300, status: call.status, headers, json };
}

export async function sendUrl(url, { key, signal }) {
  const headers = { "Idempotency-Key": key, Prefer: "wait=10" };
  const answer = await request("POST", IMAGES, { json: { image_url: url }, headers, signal });
  const made = await answer.json();
  if (answer.status !== 202) return made;
  const job = await ended(made, signal);
  if (job.status !== "completed") throw new ApiError(422, { code: job.error_code, detail: job.error ?? job.status }, new Headers());
  return api.get(`${IMAGES}/${job.result_id}`, undefined, { signal });
}

// Resolves to the job once it has ended.
export async function ended(job, signal) {
  let last = job;
  const stream = `${pathOf(job.url)}/events`;
  await follow(stream, { onEvent: ({ data }) => (last = data), signal, isLast: ({ data }) => Boolean(data.finished_at) });
  return last;
}
