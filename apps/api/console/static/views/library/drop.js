// Images that are dropped on the page or pasted into it.
import { html, useEffect, useState } from "../../vendor/preact.js";
import { addFiles, addUrl } from "../../uploads/queue.js";
import { filesOf, urlsOf } from "../../uploads/gather.js";

async function take(transfer) {
  const urls = urlsOf(transfer); // at once: the browser takes the data away after the event
  const files = await filesOf(transfer);
  if (files.length) addFiles(files);
  else urls.forEach(addUrl);
}

export function DropArea() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const control = new AbortController();
    const on = (name, handler) => document.addEventListener(name, handler, { signal: control.signal });
    on("dragover", (event) => {
      if (![...event.dataTransfer.types].some((type) => type === "Files" || type === "text/uri-list")) return;
      event.preventDefault();
      setOver(true);
    });
    on("dragleave", (event) => event.relatedTarget || setOver(false));
    on("drop", (event) => {
      setOver(false);
      event.preventDefault();
      take(event.dataTransfer);
    });
    on("paste", (event) => {
      if (event.target.closest?.("input, textarea, dialog")) return;
      take(event.clipboardData);
    });
    return () => control.abort();
  }, []);
  return over && html`<div class="drop-area" aria-hidden="true"><p>Drop to upload</p></div>`;
}
