// DOM elements, and messages to the operator.

export const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};

export function showMessage(text, kind = "good") {
  document.querySelector("#message")?.remove();
  const box = element("div", { id: "message", class: kind, role: "status" }, text);
  document.body.append(box);
  setTimeout(() => box.remove(), 6_000);
}
