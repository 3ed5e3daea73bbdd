// Pictures that the API renders for this page: what operations make of an image. None counts as a download.
import { useEffect, useState } from "../vendor/preact.js";
import { request } from "../api.js";

export const WEB = { op: "convert", format: "webp", quality: 90, effort: 1 }; // a format that every browser shows
export const SCREEN = [{ op: "resize", width: 2048, height: 2048 }, WEB];

// Renders `body` of POST /api/images/{id}/preview; resolves to { url, size, type } with an address for <img>.
export async function rendered(id, body, signal) {
  const answer = await request("POST", `/api/images/${id}/preview`, { json: body, signal });
  const blob = await answer.blob();
  return { url: URL.createObjectURL(blob), size: blob.size, type: blob.type };
}

// The picture of an image: { picture, error, loading }. The last one stays until the next is there.
export function usePicture(id, body) {
  const [state, setState] = useState({ picture: null, error: null, loading: true });
  const wanted = id && body ? JSON.stringify(body) : "";
  useEffect(() => {
    if (!wanted) return setState((before) => ({ ...before, loading: false }));
    const control = new AbortController();
    setState((before) => ({ ...before, loading: true, error: null }));
    rendered(id, JSON.parse(wanted), control.signal).then(
      (picture) => (control.signal.aborted ? URL.revokeObjectURL(picture.url) : setState({ picture, error: null, loading: false })),
      (error) => control.signal.aborted || setState((before) => ({ ...before, error, loading: false })),
    );
    return () => control.abort();
  }, [id, wanted]);
  useRevoked(state.picture);
  return state;
}

// Gives the memory of a picture back when another takes its place.
export function useRevoked(picture) {
  useEffect(() => () => picture && URL.revokeObjectURL(picture.url), [picture]);
}
