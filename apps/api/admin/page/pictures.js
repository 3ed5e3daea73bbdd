// Thumbnails, and images in full size.

import { element } from "./elements.js";

export function view(id) {
  const file = `./admin-api/images/${id}/file/`;
  const dialog = element("dialog", { id: "viewer", onclick: () => dialog.close(), onclose: () => dialog.remove() },
    element("img", { src: file, alt: "The image in full size" }),
    element("p", {}, element("a", { href: `#/image/${id}/` }, "Row"), element("a", { href: file, target: "_blank" }, "File")));
  document.body.append(dialog);
  dialog.showModal();
}

function thumbnail(id) {
  const picture = element("img", { src: `./admin-api/images/${id}/thumbnail/`, alt: "no thumbnail" });
  return element("button", { class: "thumbnail", type: "button", title: "Open in full size", onclick: () => view(id) }, picture);
}

// Shows a thumbnail in a cell; Piccolo reuses cells for other rows.
export function illustrate(cell, id) {
  if (cell.dataset.thumbnailOf === id && cell.querySelector(".thumbnail")) return;
  cell.querySelector(".thumbnail")?.remove();
  cell.dataset.thumbnailOf = id;
  cell.prepend(thumbnail(id));
}
