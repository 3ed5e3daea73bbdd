// Draws thumbnails on canvases, as large as they are shown; those that only fly past are not loaded.
import { pathOf } from "../../api.js";

const QUIET_MS = 100; // without a scroll event: nobody scrolls
const LONGEST_MS = 400; // in its place: whoever scrolls that slowly wants to see it
const TICK_MS = 50;

let scrolledAt = -Infinity;
addEventListener("scroll", () => { scrolledAt = performance.now(); }, { passive: true });

export async function drawThumbnail(image, canvas, signal) {
  await settled(signal);
  const answer = await fetch(pathOf(image.thumbnail_url), { signal });
  if (!answer.ok) throw new Error(`the thumbnail answered ${answer.status}`);
  const blob = await answer.blob();
  signal.throwIfAborted();
  const side = Math.ceil(canvas.clientWidth * devicePixelRatio);
  const shorter = image.width > image.height ? "resizeHeight" : "resizeWidth"; // the browser keeps the ratio
  const picture = await createImageBitmap(blob, { [shorter]: side, resizeQuality: "medium" });
  if (!signal.aborted) {
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
  }
  picture.close();
}

// Resolves when nobody scrolls, or the tile has stayed in its place for a while.
async function settled(signal) {
  const drawnAt = performance.now();
  while (performance.now() - scrolledAt < QUIET_MS && performance.now() - drawnAt < LONGEST_MS) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    signal.throwIfAborted();
  }
}
