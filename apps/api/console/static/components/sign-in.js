// Signing in, registering, and signing in again where a login ended in mid-work.
import { html } from "../vendor/preact.js";
import { ApiError, errorOf } from "../api.js";
import { BASE } from "../router.js";
import { REGISTRATION_OPEN } from "../server.js";
import { signIn } from "../session.js";
import { Dialog, useSubmit } from "./dialog.js";
import { Field } from "./field.js";

const STATIC = new URL("..", import.meta.url).pathname;

export function SignIn({ registers }) {
  return html`<main class="sign-in"><div class="card">
    <img src="${STATIC}favicon.svg" alt="" width="40" height="40" />
    <h1>${registers ? "Register" : "Sign in"}</h1>
    <${Credentials} registers=${registers} key=${registers} />
    <p class="small soft">${registers
      ? html`You have an account? <a href="${BASE}/sign-in">Sign in</a>`
      : REGISTRATION_OPEN ? html`No account? <a href="${BASE}/register">Register</a>` : "Only operators create accounts here."}</p>
  </div></main>`;
}

export function SignInAgain({ username }) {
  return html`<${Dialog} title="Your login has ended" closable=${false} onClose=${() => {}}>
    <p>Sign in again to go on. Nothing on this page is lost.</p>
    <${Credentials} username=${username} />
  </${Dialog}>`;
}

function Credentials({ registers = false, username = "" }) {
  const { submit, fault, busy } = useSubmit(async (values) => {
    if (registers) await register(values);
    await signIn(values.username, values.password).catch((problem) => {
      throw problem instanceof TypeError ? problem : new ApiError(problem.status, problem, new Headers());
    });
  });
  return html`<form class="stack" onSubmit=${submit}>
    <${Field} label="Username" name="username" required autocomplete="username" autocapitalize="none" spellcheck=${false} value=${username} autofocus=${!username} />
    ${registers && html`<${Field} label="Email" name="email" type="email" required autocomplete="email" />`}
    <${Field} label="Password" name="password" type="password" required autofocus=${Boolean(username)}
      minlength=${registers ? 8 : undefined} hint=${registers ? "At least eight characters" : undefined}
      autocomplete=${registers ? "new-password" : "current-password"} />
    ${fault && html`<p class="notice bad" role="alert">${fault}</p>`}
    <button class="button primary" disabled=${busy}>${registers ? "Register" : "Sign in"}</button>
  </form>`;
}

async function register({ username, email, password }) {
  const answer = await fetch("/accounts/register", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, email, password }),
  });
  if (!answer.ok) throw await errorOf(answer);
}
