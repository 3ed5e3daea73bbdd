// Keeps the images in sight up to date: jobs that end change images, and make new ones.
import { useEffect } from "../../vendor/preact.js";
import { api } from "../../api.js";
import { listen } from "../../changes.js";
import { forEach } from "./actions.js";

const TOGETHER_MS = 300; // jobs that end shortly after one another are looked at together
const FEW = 24; // beyond it, a page of the list is less work than each image

export function useLive(collection, isSearch) {
  useEffect(() => {
    const changed = new Set();
    let timer = 0;
    const look = async () => {
      timer = 0;
      const ids = [...changed];
      changed.clear();
      if (ids.length > FEW && !isSearch) await collection.refresh();
      else await forEach(ids, (id) => lookAt(id, collection, isSearch));
    };
    const onEvent = ({ event, data }) => {
      if (event !== "job" || !data.finished_at) return;
      const known = [data.image_id, data.result_id].filter((id) => id && (!isSearch || collection.has(id)));
      known.forEach((id) => changed.add(id));
      if (changed.size) timer ||= setTimeout(look, TOGETHER_MS);
    };
    const end = listen({ onEvent });
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [collection]);
}

async function lookAt(id, collection, isSearch) {
  try {
    const image = await api.get(`/api/images/${id}`);
    if (collection.has(id)) collection.replace(image);
    else if (!isSearch) collection.insert(image);
  } catch (error) {
    if (error.status === 404) collection.remove(new Set([id]));
  }
}
