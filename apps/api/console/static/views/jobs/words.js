// What states and kinds of work are called.
import { ago, plural } from "../../components/format.js";

const KINDS = {
  ingest: "Fetch",
  describe: "Describe",
  transform: "Transform",
  edit: "Edit",
  render: "Render ahead",
};
const STATUS = {
  queued: ["Waiting", ""],
  running: ["Running", "live"],
  completed: ["Done", "good"],
  failed: ["Failed", "bad"],
  cancelled: ["Cancelled", ""],
  Pending: ["Waiting", ""],
  "In Process": ["Running", "live"],
  Completed: ["Done", "good"],
  Failed: ["Failed", "bad"],
  pending: ["Waiting", ""],
};

export function kindOf(job) {
  return KINDS[job.kind] ?? job.kind;
}

// The text and the class of a badge.
export function statusOf(record) {
  return STATUS[record.status] ?? [record.status, ""];
}

// "Resize, grayscale, convert"; the kind of work where there are no operations.
export function workOf(job) {
  const steps = (job.operations ?? []).map((step) => step.op.replaceAll("_", " "));
  if (!steps.length) return kindOf(job);
  const text = `${job.kind === "ingest" ? "fetch, " : ""}${steps.join(", ")}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function tookOf(record) {
  if (!record.started_at) return "";
  const end = record.finished_at ? new Date(record.finished_at) : Date.now();
  return duration((end - new Date(record.started_at)) / 1000);
}

export function duration(seconds) {
  if (seconds < 1) return "under a second";
  if (seconds < 60) return plural(Math.round(seconds), "second");
  if (seconds < 3600) return plural(Math.round(seconds / 60), "minute");
  return plural(Math.round(seconds / 3600), "hour");
}

// What became of a job, in a sentence.
export function storyOf(job) {
  if (job.status === "failed") return `${job.error ?? "It failed"} (${job.error_code})`;
  if (job.status === "queued" && job.attempts) return `Tried ${plural(job.attempts, "time")}; waits for the next attempt`;
  if (job.status === "queued") return `Asked for ${ago(job.created_at)}`;
  if (job.status === "running") return `For ${tookOf(job)}`;
  if (job.status === "cancelled") return `Cancelled ${ago(job.finished_at ?? job.created_at)}`;
  const took = tookOf(job);
  return `Ended ${ago(job.finished_at ?? job.created_at)}${took && `, took ${took}`}`;
}
