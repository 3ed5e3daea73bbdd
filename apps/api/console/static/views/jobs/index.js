// Jobs and batches, live.
import { html } from "../../vendor/preact.js";
import { loadStyle } from "../../components/style.js";
import { place } from "../../router.js";
import { useStore } from "../../store.js";
import { BatchPage } from "./batch-page.js";
import { JobPage } from "./job-page.js";
import { Overview } from "./overview.js";

await loadStyle("views/jobs.css");

export default function JobsView({ params, query }) {
  const { path } = useStore(place);
  if (path.startsWith("/batches/")) return html`<${BatchPage} id=${params.id} />`;
  if (params.id) return html`<${JobPage} id=${params.id} />`;
  return html`<${Overview} query=${query} />`;
}
