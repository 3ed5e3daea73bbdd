// Look-alikes of a file that is not stored. The address of such a search has a number for it: the file is in the
// memory of this page only.
import { ApiError, api, request } from "../../api.js";
import { faultOf } from "../../uploads/check.js";
import { ended } from "../../uploads/send.js";

const files = new Map(); // number -> file

// Returns the number of a file to search with; throws if the server would refuse the file.
export async function remember(file) {
  const fault = await faultOf(file);
  if (fault) throw new Error(fault);
  const number = String(Date.now());
  files.set(number, file);
  return number;
}

export function nameOf(number) {
  return files.get(number)?.name || "a file";
}

// `limits` has the greatest distance and the greatest number of images.
export async function alike(number, limits, signal) {
  const file = files.get(number);
  if (!file) throw new Error("The file is in no memory any more. Choose it again.");
  const form = new FormData();
  form.append("image", file, file.name || "image");
  Object.entries(limits).forEach(([name, value]) => form.append(name, value));
  const answer = await request("POST", "/api/images/search", { body: form, signal });
  const found = await answer.json();
  return answer.status === 202 ? later(found, limits, signal) : found;
}

// The server hashes the file later than it waits: then it is an image, until the search is over.
async function later(job, limits, signal) {
  const { image_id: id, status, error, error_code: code } = await ended(job, signal);
  try {
    if (status !== "completed") throw new ApiError(422, { code, detail: error ?? status }, new Headers());
    return await api.get(`/api/images/${id}/similar`, limits, { signal });
  } finally {
    await api.delete(`/api/images/${id}`);
  }
}
