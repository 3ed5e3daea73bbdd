// The login: an access token in the memory of this page; the refresh token is in a cookie that no script reads.
import { createStore } from "./store.js";

const PATH = "/console/session";
const EARLY_S = 30; // a token is renewed this long before it expires
const LOCK = "darkroom-session";

// "unknown" until the first answer; "expired" when the login ended while somebody worked.
export const session = createStore({ status: "unknown", account: null });

let token = null; // { text, endsAt, subject }
let waiting = []; // what waits for the next sign-in
const channel = new BroadcastChannel("darkroom-session");

channel.onmessage = ({ data }) => {
  if (data.kind === "token") receive(data.token);
  if (data.kind === "signed-out") close("closed");
};

export async function start() {
  try {
    await renew();
  } catch {
    close("closed");
  }
}

export async function signIn(username, password) {
  const answer = await send("POST", PATH, { username, password });
  if (!answer.ok) throw await answer.json();
  share(await answer.json());
}

export async function signOut() {
  await exclusively(() => send("DELETE", PATH));
  channel.postMessage({ kind: "signed-out" });
  close("closed");
}

// Resolves to an access token that is valid now; waits for the sign-in where the login has ended.
export async function accessToken() {
  if (isFresh(token)) return token.text;
  try {
    await renew();
  } catch (problem) {
    if (problem instanceof TypeError) throw problem; // the network: the login may still be good
    await expire();
  }
  return token.text;
}

// The server does not take this token: nobody uses it any longer.
export function reject(text) {
  if (token?.text === text) token = null;
}

// A refresh token that is used twice ends the login, so one tab renews at a time, and gives the others its token.
function renew() {
  const before = token;
  return exclusively(async () => {
    if (token !== before && isFresh(token)) return; // another tab was faster
    const answer = await send("POST", `${PATH}/refresh`);
    if (!answer.ok) throw await answer.json();
    share(await answer.json());
  });
}

// Behind plain HTTP, browsers have no locks: then only the requests of this tab wait for one another.
let queue = Promise.resolve();
function exclusively(act) {
  if (navigator.locks) return navigator.locks.request(LOCK, act);
  queue = queue.catch(() => {}).then(act);
  return queue;
}

function share({ access_token: text, expires_in: seconds }) {
  const { sub: subject } = JSON.parse(atob(text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
  const made = { text, subject, endsAt: Date.now() + 1000 * seconds };
  receive(made);
  channel.postMessage({ kind: "token", token: made });
}

function receive(made) {
  const { account } = session.get();
  if (account !== null && String(account.id) !== made.subject) {
    location.reload(); // somebody else signed in: nothing of the last account may stay on the screen
    return;
  }
  token = made;
  session.set((state) => ({ ...state, status: "open" }));
  waiting.splice(0).forEach((resolve) => resolve());
}

function close(status) {
  token = null;
  session.set({ status, account: null });
}

function expire() {
  if (session.get().status === "open") session.set((state) => ({ ...state, status: "expired" }));
  return new Promise((resolve) => waiting.push(resolve));
}

function isFresh(some) {
  return some !== null && some.endsAt - Date.now() > 1000 * EARLY_S;
}

function send(method, path, json) {
  const headers = json ? { "Content-Type": "application/json" } : {};
  return fetch(path, { method, headers, body: json && JSON.stringify(json), keepalive: true });
}
