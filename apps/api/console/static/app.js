// The console: signs in, then shows the view of the address.
import { html, render, useEffect, useState } from "./vendor/preact.js";
import { Shell } from "./components/shell.js";
import { SignIn, SignInAgain } from "./components/sign-in.js";
import { Dialogs } from "./components/dialog.js";
import { Failure, Loading } from "./components/states.js";
import { Toasts } from "./components/toast.js";
import { api } from "./api.js";
import { go, match, place } from "./router.js";
import { session, start } from "./session.js";
import { useStore } from "./store.js";
import { UploadPanel } from "./uploads/panel.js";

// A view is a module whose default export is a component of { params, query }.
const ROUTES = [
  ["/library", () => import("./views/library/index.js")],
  ["/images/:id", () => import("./views/image/index.js")],
  ["/pipeline", () => import("./views/pipeline/index.js")],
  ["/jobs", () => import("./views/jobs/index.js")],
  ["/jobs/:id", () => import("./views/jobs/index.js")],
  ["/batches/:id", () => import("./views/jobs/index.js")],
  ["/account", () => import("./views/account/index.js")],
  ["/admin", () => import("./views/admin/index.js")],
  ["/admin/:section", () => import("./views/admin/index.js")],
  ["/admin/:section/:id", () => import("./views/admin/index.js")],
  ["/account/:section", () => import("./views/account/index.js")],
];

function App() {
  const { status, account } = useStore(session);
  const { path } = useStore(place);
  useEffect(() => {
    if (status === "open" && !account) api.get("/accounts/me").then((found) => session.set((state) => ({ ...state, account: found })));
    if (status === "open" && ["/", "/sign-in", "/register"].includes(path)) go("/library", { replace: true });
  }, [status, path]);
  if (status === "unknown") return html`<${Loading} />`;
  if (status === "closed") return html`<${SignIn} registers=${path === "/register"} /><${Toasts} />`;
  return html`
    <${Shell} path=${path} account=${account}><${View} path=${path} /></${Shell}>
    ${status === "expired" && html`<${SignInAgain} username=${account?.username ?? ""} />`}
    <${UploadPanel} /><${Dialogs} /><${Toasts} />`;
}

function View({ path }) {
  const { query } = useStore(place);
  const [state, setState] = useState({});
  const found = match(ROUTES, path);
  useEffect(() => {
    let left = false;
    if (found) {
      found.view().then(
        (module) => left || setState({ component: module.default, load: found.view }),
        (error) => left || setState({ error, load: found.view }),
      );
    }
    return () => (left = true);
  }, [found?.view]);
  if (!found) return html`<${Failure} title="There is nothing at this address." />`;
  if (state.load !== found.view) return html`<${Loading} />`;
  if (state.error) return html`<${Failure} title="This view could not be loaded. Reload the page." error=${state.error} />`;
  return html`<${state.component} key=${path} params=${found.params} query=${query} />`;
}

render(html`<${App} />`, document.getElementById("app"));
start();
