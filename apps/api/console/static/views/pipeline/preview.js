// The live preview: a draft at once, the whole result when the hand rests.
import { useEffect, useRef, useState } from "../../vendor/preact.js";
import { rendered, useRevoked } from "../../components/picture.js";

const DRAFT_MS = 60; // after a change
const REST_MS = 700; // before the whole result is rendered

// { picture, whole, ms, error, loading }: `whole` is { size, type } of the result, or null while it is unknown.
export function useLivePreview(id, operations) {
  const [state, setState] = useState({ picture: null, whole: null, ms: null, error: null, loading: true });
  const wanted = useRef("");
  const busy = useRef(false);
  const key = id ? JSON.stringify({ operations }) : "";
  wanted.current = key && `${id} ${key}`;

  useEffect(() => {
    if (!key) return;
    const mine = wanted.current;
    const control = new AbortController();
    const current = () => wanted.current === mine && !control.signal.aborted;
    setState((before) => ({ ...before, whole: null, loading: true }));

    const draft = async () => {
      if (busy.current) return; // one at a time: when it has ended, the newest is drafted
      busy.current = true;
      const asked = wanted.current;
      const [drafted, at] = [JSON.parse(asked.slice(asked.indexOf(" ") + 1)), performance.now()];
      try {
        const picture = await rendered(asked.slice(0, asked.indexOf(" ")), { ...drafted, draft: true });
        setState((before) => (before.whole ? release(picture, before) : { ...before, picture, ms: performance.now() - at, error: null }));
      } catch (error) {
        if (wanted.current === asked) setState((before) => ({ ...before, error, loading: false }));
      }
      busy.current = false;
      if (wanted.current !== asked && wanted.current) draft();
    };
    const whole = async () => {
      try {
        const picture = await rendered(id, JSON.parse(key), control.signal);
        if (!current()) return release(picture);
        const shows = await isShown(picture.url);
        setState((before) => ({ ...before, picture: shows ? picture : release(picture, before).picture, whole: { size: picture.size, type: picture.type }, error: null, loading: false }));
      } catch (error) {
        if (current()) setState((before) => ({ ...before, error, loading: false }));
      }
    };
    const timers = [setTimeout(draft, DRAFT_MS), setTimeout(whole, REST_MS)];
    return () => {
      timers.forEach(clearTimeout);
      control.abort();
    };
  }, [id, key]);
  useRevoked(state.picture);
  return state;
}

function release(picture, kept) {
  URL.revokeObjectURL(picture.url);
  return kept;
}

// Whether the browser can show a file: it knows no TIFF. Then the draft stays.
async function isShown(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => true, () => false);
}

// What is wrong, by the place of the operation and the path of its field: from `operations[1].width`.
export function faultsOf(error) {
  const found = {};
  for (const { key = "", message } of error?.errors ?? []) {
    const [, place, path = ""] = /^operations\[(\d+)\]\.?(.*)$/.exec(key) ?? [];
    if (place !== undefined) (found[place] ??= {})[path] = message;
  }
  return found;
}
