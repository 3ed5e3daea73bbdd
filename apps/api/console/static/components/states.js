// What a view shows while it loads, when it has nothing, and when it failed.
import { html } from "../vendor/preact.js";

export function Loading({ label = "Loading" }) {
  return html`<div class="empty" role="status"><div class="spinner"></div><span class="hidden-label">${label}</span></div>`;
}

export function Empty({ title, children }) {
  return html`<div class="empty"><h2>${title}</h2>${children}</div>`;
}

// `text` instead of what the error says.
export function Failure({ title = "This did not work.", error, text, onRetry }) {
  return html`<div class="empty" role="alert">
    <h2>${title}</h2>
    ${error && html`<p>${text || sentence(error)}</p>`}
    ${onRetry && html`<button class="button" onClick=${onRetry}>Try again</button>`}
  </div>`;
}

// Says what went wrong, in words: an answer's detail with what is wrong in the fields, or the network.
export function sentence(error) {
  if (error instanceof TypeError) return "The server cannot be reached. Check the connection.";
  const fields = (error.errors ?? []).map(({ key, message }) => `${key}: ${message}`);
  const text = [error.message ?? error.detail ?? String(error), ...fields].join("; ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
