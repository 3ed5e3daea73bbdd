// A button with a menu: arrow keys move, Esc closes, the focus returns to the button.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { Icon } from "./icons.js";

// `items` is [{ label, icon, run, danger, disabled }]; what is falsy is left out.
export function Menu({ label, icon, items, quiet = false, small = false, iconOnly = false }) {
  const [open, setOpen] = useState(false);
  const box = useRef(null);
  const close = (refocus) => {
    setOpen(false);
    if (refocus) box.current.querySelector("button").focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    box.current.querySelector("[role=menuitem]")?.focus();
    const outside = (event) => box.current.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const pressed = (event) => {
    const all = [...box.current.querySelectorAll("[role=menuitem]:not(:disabled)")];
    const here = all.indexOf(document.activeElement);
    const moves = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 };
    if (event.key === "Escape") close(true);
    else if (event.key === "Tab") return setOpen(false);
    else if (event.key in moves) all.at(moves[event.key] % all.length).focus();
    else return undefined;
    event.stopPropagation();
    return event.preventDefault();
  };
  return html`<div class="menu" ref=${box} onKeyDown=${open ? pressed : undefined}>
    <button class="button ${quiet ? "quiet" : ""} ${small ? "small" : ""} ${iconOnly ? "icon" : ""}" aria-haspopup="menu" aria-expanded=${open}
      aria-label=${label} title=${iconOnly ? label : undefined} onClick=${() => setOpen(!open)}>
      ${icon && html`<${Icon} name=${icon} />`}${!iconOnly && html`<span class="word">${label}</span>`}</button>
    ${open && html`<div class="items" role="menu" aria-label=${label}>${items.filter(Boolean).map((item) => html`
      <button role="menuitem" tabindex="-1" disabled=${item.disabled} class=${item.danger ? "danger" : ""}
        onClick=${() => { close(true); item.run(); }}>${item.icon && html`<${Icon} name=${item.icon} size=${18} />`}${item.label}</button>`)}
    </div>`}
  </div>`;
}
