// Calls of the public API.
import { accessToken, reject } from "./session.js";

const RATE_LIMITED = 429;
const TRIES = 4;

// An answer that is no success: the fields of problem+json (docs/errors.md).
export class ApiError extends Error {
  constructor(status, problem, headers) {
    super(problem.detail ?? `the server answered ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? []; // [{ key, message }], of a body or a query
    this.faults = problem.faults ?? []; // of a CSV file
    this.requestId = problem.request_id ?? null;
    this.retryAfterS = Number(headers.get("Retry-After")) || null;
  }
}

// Sends a request with the token; resolves to the response, or throws an ApiError.
// `json` or `body` is the content; `query` is an object, whose empty values are left out.
export async function request(method, path, { json, body, query, headers = {}, signal } = {}) {
  for (let tried = 1; ; tried += 1) {
    const token = await accessToken();
    const sent = { Authorization: `Bearer ${token}`, ...headers };
    if (json !== undefined) sent["Content-Type"] = "application/json";
    const content = json === undefined ? body : JSON.stringify(json);
    const answer = await fetch(withQuery(pathOf(path), query), { method, headers: sent, body: content, signal });
    if (answer.ok) return answer;
    const error = await errorOf(answer);
    if (tried === TRIES || !(await mayTryAgain(error, token, signal))) throw error;
  }
}

export const api = {
  get: async (path, query, options) => (await request("GET", path, { query, ...options })).json(),
  post: async (path, json = {}, options) => decoded(await request("POST", path, { json, ...options })),
  send: async (path, body, options) => decoded(await request("POST", path, { body, ...options })),
  put: async (path, json, options) => decoded(await request("PUT", path, { json, ...options })),
  patch: async (path, json, options) => decoded(await request("PATCH", path, { json, ...options })),
  delete: async (path, json, options) => decoded(await request("DELETE", path, { json, ...options })),
};

// One page of a list: `next` is the address of the following page, or null. With `hasMore`, `total` is not all.
export async function page(path, query, options) {
  const answer = await request("GET", path, { query, ...options });
  const next = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get("Link") ?? "");
  const total = Number(answer.headers.get("X-Total-Count"));
  const hasMore = answer.headers.get("X-Total-Count-Relation") === "gte";
  return { items: await answer.json(), total, hasMore, next: next && next[1] };
}

// All entries of a list that is known to be short.
export async function all(path, query) {
  const items = [];
  for (let next = path, first = query; next; first = undefined) {
    const found = await page(next, first ?? (next === path ? query : undefined));
    items.push(...found.items);
    next = found.next;
  }
  return items;
}

// Records have absolute addresses; the page may be open under another name of the same server.
export function pathOf(address) {
  const url = new URL(address, location.origin);
  return url.pathname + url.search;
}

function withQuery(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (!given.length) return path;
  return `${path}${path.includes("?") ? "&" : "?"}${new URLSearchParams(given)}`;
}

export async function errorOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  return new ApiError(answer.status, problem, answer.headers);
}

async function mayTryAgain(error, token, signal) {
  if (error.status === 401) {
    reject(token); // the next try gets another, or waits for the sign-in
    return true;
  }
  if (error.status !== RATE_LIMITED || error.code !== "rate_limited") return false;
  await pause(error.retryAfterS ?? 1, signal);
  return true;
}

export function pause(seconds, signal) {
  return new Promise((resolve, refuse) => {
    signal?.throwIfAborted();
    const ended = new AbortController(); // takes the listener away
    const timer = setTimeout(() => {
      ended.abort();
      resolve();
    }, 1000 * seconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      refuse(signal.reason);
    }, { signal: ended.signal });
  });
}

async function decoded(answer) {
  return answer.status === 204 ? null : answer.json().catch(() => null);
}
