// Copies a text. Behind plain HTTP, browsers have no clipboard for scripts, but still copy what is selected.
import { toast } from "./toast.js";

export async function copy(text) {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copySelected(text);
    toast("Copied", { kind: "good" });
  } catch {
    toast("The browser does not allow copying here. Select the text instead.", { kind: "bad" });
  }
}

function copySelected(text) {
  const before = document.activeElement;
  const area = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
  (before?.closest("dialog") ?? document.body).append(area); // behind a dialog, nothing can be selected
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  before?.focus();
  if (!isCopied) throw new Error("not copied");
}
