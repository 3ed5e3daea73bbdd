import assert from "node:assert/strict";
import { client } from "./hey-api/client.gen.js";
import {
  createBatch,
  createWebhook,
  deleteImage,
  downloadImage,
  getBatch,
  getImage,
  getJob,
  listImages,
  transformImage,
  uploadImage,
} from "./hey-api/sdk.gen.js";
import { csv, photo, situation, steps, until } from "./situation.js";

client.setConfig({ baseUrl: situation.url, auth: situation.key });

const uploaded = await uploadImage({
  headers: { Prefer: "wait=60" },
  body: { image: photo, operations: steps, retention: "keep" },
});
assert.equal(uploaded.response?.status, 201);
assert(uploaded.data && "filename" in uploaded.data);
const image = uploaded.data;
assert.equal(image.result?.format, "webp");

const listed = await listImages({ query: { limit: 1 } });
assert.equal(listed.data?.length, 1);
assert.equal(listed.response?.headers.get("X-Total-Count"), "2");

const queued = await transformImage({
  path: { image_id: image.id },
  body: { operations: [{ op: "resize", width: 64 }, { op: "convert", format: "png" }] },
});
assert(queued.data);
const jobId = queued.data.id;
const job = await until(
  async () => (await getJob({ path: { job_id: jobId } })).data,
  (found) => found?.status === "completed",
);
assert(job?.result_id);

const file = await downloadImage({ path: { image_id: job.result_id } });
assert(file.data instanceof Blob);
assert.equal(file.data.type, "image/png");

const webhook = await createWebhook({ body: { url: situation.hookUrl, events: ["batch.completed"] } });
assert(webhook.data?.secret.startsWith("whsec_"));
const batch = await createBatch({ body: { file: csv } });
assert(batch.data);
const batchId = batch.data.id;
const ended = await until(
  async () => (await getBatch({ path: { batch_id: batchId } })).data,
  (found) => found?.status === "Completed",
);
assert.equal(ended?.items[0]?.status, "completed");

const deleted = await deleteImage({ path: { image_id: image.id } });
assert.match(deleted.data?.message ?? "", /deleted/);
const gone = await getImage({ path: { image_id: image.id } });
assert.equal(gone.error?.code, "image_not_found");
console.log("done");
