// Server-sent events, read with the token in a header; a connection that breaks is opened again.
import { pause, request } from "./api.js";

const FIRST_PAUSE_S = 1;
const LONGEST_PAUSE_S = 30;

// Calls `onEvent({ event, data, id })` for each event until `signal` aborts, the server says that no more come, or
// `isLast(event)`. `onState(isOpen)` says whether the stream is open. `lastId` is of the last event that is known.
export async function follow(path, { onEvent, onState = () => {}, isLast = () => false, signal, lastId = "" }) {
  let pauseS = FIRST_PAUSE_S;
  while (!signal.aborted) {
    try {
      const headers = { Accept: "text/event-stream", ...(lastId && { "Last-Event-ID": lastId }) };
      const answer = await request("GET", path, { headers, signal });
      if (answer.status === 204) return;
      onState(true);
      for await (const event of events(answer.body)) {
        pauseS = FIRST_PAUSE_S;
        lastId = event.id || lastId;
        onEvent(event);
        if (isLast(event)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.status && error.status < 500 && error.status !== 429) throw error;
    }
    onState(false);
    await soon(pauseS, signal);
    pauseS = Math.min(2 * pauseS, LONGEST_PAUSE_S);
  }
}

// Waits, at most until the browser is online again.
async function soon(seconds, signal) {
  const back = new Promise((resolve) => addEventListener("online", resolve, { once: true, signal }));
  await Promise.race([pause(seconds, signal).catch(() => {}), back]);
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parsed(block);
      if (event) yield event;
    }
  }
}

function parsed(block) {
  const fields = { event: "message", data: "", id: "" };
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name === "data") fields.data += (fields.data && "\n") + value;
    else if (name) fields[name] = value;
  }
  return fields.data ? { ...fields, data: JSON.parse(fields.data) } : null;
}
