// Style sheets of single views, loaded with them: `await loadStyle("views/jobs.css")` at the top of the module.
const STYLES = new URL("../styles/", import.meta.url);

export function loadStyle(name) {
  const href = new URL(name, STYLES).href;
  const there = document.querySelector(`link[href="${href}"]`);
  if (there) return there.sheet ? Promise.resolve() : new Promise((resolve) => there.addEventListener("load", resolve));
  return new Promise((resolve, refuse) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    link.onload = resolve;
    link.onerror = () => refuse(new TypeError(`${name} could not be loaded`));
    document.head.append(link);
  });
}
