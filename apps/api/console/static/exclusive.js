// Of all tabs, one does something at a time. Browsers have locks for this, but not behind plain HTTP: there, tabs
// agree by messages. Whoever does it says so when asked; of several that begin at once, the lowest number goes on.
import { pause } from "./api.js";

const ANSWER_S = 0.3; // the longest that a tab takes to answer
const ASK_S = 5; // how often a waiting tab asks, as the other may have crashed

// Runs `act(signal)` once no other tab runs it under this name, and until `signal` aborts.
export function exclusively(name, signal, act) {
  if (navigator.locks) return navigator.locks.request(name, { signal }, () => act(signal));
  return agreed(name, signal, act);
}

async function agreed(name, signal, act) {
  const number = crypto.getRandomValues(new Uint32Array(1))[0];
  const channel = new BroadcastChannel(`${name}-turn`);
  const say = (kind) => channel.postMessage({ kind, number });
  let asks = false;
  let running = null; // the AbortController of this tab's run
  let left = () => {};
  channel.onmessage = ({ data }) => {
    const goesFirst = data.number < number;
    if (data.kind === "left") left();
    else if (running && (data.kind === "asks" || !goesFirst)) say("runs");
    else if (running) running.abort(); // two tabs run it, since one of them was frozen for a while
    else if (data.kind === "runs" || goesFirst) asks = false;
    else if (asks) say("asks");
  };
  const leave = () => running && say("left");
  addEventListener("pagehide", leave, { signal });
  try {
    for (;;) {
      asks = true;
      say("asks");
      await pause(ANSWER_S, signal);
      if (asks) {
        running = new AbortController();
        say("runs");
        await act(AbortSignal.any([signal, running.signal]));
        if (!running.signal.aborted) return;
        running = null;
      }
      await Promise.race([pause(ASK_S, signal), new Promise((resolve) => (left = resolve))]);
    }
  } finally {
    leave();
    channel.close();
  }
}
