// Files and URLs from drops and from the clipboard; a folder gives all its files.

export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(filesBelow))).flat();
}

async function filesBelow(entry) {
  if (entry.isFile) return [await new Promise((resolve, refuse) => entry.file(resolve, refuse))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, refuse) => reader.readEntries(resolve, refuse));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(filesBelow))).flat();
}

// The addresses of images in dropped or pasted text.
export function urlsOf(transfer) {
  const text = transfer.getData("text/uri-list") || transfer.getData("text/plain");
  return text.split(/\s+/).filter((word) => /^https?:\/\/\S+$/i.test(word));
}
