import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./openapi-fetch-types.js";
import { csv, photo, situation, steps, until } from "./situation.js";

const api = createClient<paths>({
  baseUrl: situation.url,
  headers: { "X-API-Key": situation.key },
});
const asForm = (fields: object): FormData => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
};

const uploaded = await api.POST("/api/images", {
  params: { header: { Prefer: "wait=60" } },
  body: { image: photo, operations: steps, retention: "keep" },
  bodySerializer: asForm,
});
assert.equal(uploaded.response.status, 201);
assert(uploaded.data && "filename" in uploaded.data);
const image = uploaded.data;
assert.equal(image.result?.format, "webp");

const listed = await api.GET("/api/images", { params: { query: { limit: 1 } } });
assert.equal(listed.data?.length, 1);
assert.equal(listed.response.headers.get("X-Total-Count"), "2");

const queued = await api.POST("/api/images/{image_id}/transform", {
  params: { path: { image_id: image.id } },
  body: { operations: [{ op: "resize", width: 64 }, { op: "convert", format: "png" }], retention: "ephemeral" },
});
assert(queued.data);
const jobId = queued.data.id;
const job = await until(
  async () => (await api.GET("/api/jobs/{job_id}", { params: { path: { job_id: jobId } } })).data,
  (found) => found?.status === "completed",
);
assert(job?.result_id);

const file = await api.GET("/api/images/{image_id}/download", {
  params: { path: { image_id: job.result_id } },
  parseAs: "blob",
});
assert(file.data);
assert.equal(file.data.type, "image/png");

const webhook = await api.POST("/api/webhooks", {
  body: { url: situation.hookUrl, events: ["batch.completed"] },
});
assert(webhook.data?.secret.startsWith("whsec_"));
const batch = await api.POST("/api/batches", { body: { file: csv }, bodySerializer: asForm });
assert(batch.data);
const batchId = batch.data.id;
const ended = await until(
  async () => (await api.GET("/api/batches/{batch_id}", { params: { path: { batch_id: batchId } } })).data,
  (found) => found?.status === "Completed",
);
assert.equal(ended?.items[0]?.status, "completed");

const deleted = await api.DELETE("/api/images/{image_id}", { params: { path: { image_id: image.id } } });
assert.match(deleted.data?.message ?? "", /deleted/);
const gone = await api.GET("/api/images/{image_id}", { params: { path: { image_id: image.id } } });
assert.equal(gone.error?.code, "image_not_found");
console.log("done");
