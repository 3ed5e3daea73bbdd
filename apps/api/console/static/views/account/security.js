// Logins of the account, and its password.
import { html } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { useSubmit } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { ago } from "../../components/format.js";
import { useResource } from "../../components/hooks.js";
import { toast } from "../../components/toast.js";
import { agreed, Head, Records } from "./pieces.js";

const BROWSERS = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"], [/^curl\//, "curl"], [/^Python|aiohttp|httpx/i, "A Python program"]];
const SYSTEMS = [[/iPhone|iPad/, "iOS"], [/Android/, "Android"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];

export function Security() {
  const found = useResource((signal) => api.get("/accounts/me/sessions", {}, { signal }), []);
  const end = (session) => agreed("End this login?", { text: `${nameOf(session)} has to log in again.`, action: "End" }, async () => {
    await api.delete(`/accounts/me/sessions/${session.id}`);
    found.reload();
  });
  return html`<section class="stack"><${Head} title="Sessions" text="Logins that have not ended. Addresses are not stored." />
    <${Records} found=${found} empty="There are no logins.">${(session) => html`<li key=${session.id}>
      <div><strong title=${session.user_agent}>${nameOf(session)}</strong> ${session.current && html`<span class="badge good">This one</span>`}
        <p class="soft small">Since ${ago(session.created_at)}, renewed ${ago(session.renewed_at)}, ends ${ago(session.expires_at)} unless it is renewed</p></div>
      ${!session.current && html`<button class="button small danger" onClick=${() => end(session)} aria-label="End ${nameOf(session)}">End</button>`}</li>`}</${Records}>
    <${Password} onChanged=${found.reload} /></section>`;
}

function Password({ onChanged }) {
  const { submit, fault, busy } = useSubmit(async (values, event) => {
    const form = event.target;
    if (values.new_password !== values.again) throw new Error("the new passwords differ");
    await api.post("/accounts/me/password", { old_password: values.old_password, new_password: values.new_password });
    form.reset();
    toast("The password is changed. Other logins have ended.", { kind: "good" });
    onChanged();
  });
  return html`<section class="stack"><${Head} title="Password" text="A change ends all other logins. API keys stay valid." />
    <form class="card stack narrow" onSubmit=${submit}>
      <${Field} label="Password so far" name="old_password" type="password" autocomplete="current-password" required />
      <${Field} label="New password" name="new_password" type="password" autocomplete="new-password" minlength="8" maxlength="128" required hint="At least eight characters." />
      <${Field} label="New password again" name="again" type="password" autocomplete="new-password" required />
      ${fault && html`<p class="notice bad" role="alert">${fault}</p>`}
      <div><button class="button primary" disabled=${busy}>Change the password</button></div>
    </form></section>`;
}

// "Firefox on Linux"
function nameOf({ user_agent: agent }) {
  if (!agent) return "An unknown program";
  const of = (known) => known.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = of(BROWSERS) ?? agent.slice(0, 40);
  const system = of(SYSTEMS);
  return system ? `${browser} on ${system}` : browser;
}
