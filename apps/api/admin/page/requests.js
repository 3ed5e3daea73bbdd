// Requests of the admin API, and of Piccolo's.

const csrf = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";

export class LoggedOut extends Error {
  message = "Log in again.";
}

async function answer(path, options) {
  const response = await fetch(path, options);
  const content = await response.json();
  if (response.status === 401) throw new LoggedOut();
  if (!response.ok) throw new Error(content.detail ?? content.error ?? response.statusText);
  return content;
}

export const get = (path, query = "") => answer(`./${path}/${query}`);

export const post = (path, body = {}) => answer(`./admin-api/${path}/`, {
  method: "POST",
  headers: { "X-CSRFToken": csrf(), "Content-Type": "application/json" },
  body: JSON.stringify(body),
});
