// Images that are dropped on the page or pasted into it.
import { html, useEffect, useState } from "../../vendor/preact.js";
import { addFiles, addUrl } from "../../uploads/queue.js";
import { filesOf, urlsOf } from "../../uploads/gather.js";
import { findAlike } from "./toolbar.js";

async function take(transfer) {
  const urls = urlsOf(transfer); // at once: the browser takes the data away after the event
  const files = await filesOf(transfer);
  if (files.length) addFiles(files);
  else urls.forEach(addUrl);
}

// One file can be dropped on two places: what is dropped on the lower half of the window is searched with.
function placeOf({ clientY, dataTransfer }) {
  if (dataTransfer.items.length !== 1 || dataTransfer.items[0].kind !== "file") return "one";
  return clientY > innerHeight / 2 ? "lower" : "upper";
}

// Draws where to drop while something is dragged over the page: "one" place, or the "upper" or the "lower" of two.
export function DropArea() {
  const [over, setOver] = useState("");
  useEffect(() => {
    const control = new AbortController();
    let place = "";
    const show = (next) => setOver((place = next));
    const on = (name, handler) => document.addEventListener(name, handler, { signal: control.signal });
    on("dragover", (event) => {
      if (![...event.dataTransfer.types].some((type) => type === "Files" || type === "text/uri-list")) return;
      event.preventDefault();
      show(placeOf(event));
    });
    on("dragleave", (event) => event.relatedTarget || show(""));
    on("drop", (event) => {
      event.preventDefault();
      if (place === "lower") findAlike(event.dataTransfer.files[0]);
      else take(event.dataTransfer);
      show("");
    });
    on("paste", (event) => {
      if (event.target.closest?.("input, textarea, dialog")) return;
      take(event.clipboardData);
    });
    return () => control.abort();
  }, []);
  const place = (name, text) => html`<p class=${over === name ? "here" : ""}>${text}</p>`;
  return over && html`<div class="drop-area" aria-hidden="true">${place("upper", "Drop to upload")}
    ${over !== "one" && place("lower", "Drop to find look-alikes")}</div>`;
}
