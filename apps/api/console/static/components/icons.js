// Icons, drawn on 24 by 24 units in the colour of the text.
import { html } from "../vendor/preact.js";

const PATHS = {
  library: "M4 5h7v7H4zM13 5h7v7h-7zM4 14h7v5H4zM13 14h7v5h-7z",
  pipeline: "M4 7h10M18 7h2M4 17h2M10 17h10M14 4.5v5h4v-5zM6 14.5v5h4v-5z",
  jobs: "M12 4a8 8 0 1 0 8 8M12 8v4l3 2M16 4.5l4-1v4",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c1-4 4-5.5 7.5-5.5s6.500 1.5 7.500 5.500",
  operators: "M4 19.500V11M9.500 19.500V4.500M15 19.500v-6M20.500 19.500V8",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500L20 20",
  filter: "M4 6h16M7.500 12h9M10.500 18h3",
  upload: "M12 16V5M7 9.500L12 4.500l5 5M4.500 16v3.500h15V16",
  download: "M12 4.500v11M7 11l5 5 5-5M4.500 16v3.500h15V16",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.500l4.500 4.500L19 7.500",
  trash: "M5 7h14M9.500 7V4.500h5V7M7 7l.8 12.500h8.400L17 7M10.500 10.500v5.500M13.500 10.500v5.500",
  tag: "M4.500 4.500h7l8 8-7 7-8-8zM8.500 8.500h.01",
  keep: "M7 4.500h10v15l-5-4-5 4z",
  link: "M10 14a4 4 0 0 0 5.600 0l3-3A4 4 0 0 0 13 5.400l-1 1M14 10a4 4 0 0 0-5.600 0l-3 3a4 4 0 0 0 5.600 5.600l1-1",
  copy: "M9 9h10.500v10.500H9zM15 9V4.500H4.500V15H9",
  pause: "M8.500 5.500v13M15.500 5.500v13",
  play: "M7.500 5l11 7-11 7z",
  retry: "M19.500 12a7.500 7.500 0 1 1-2.300-5.400L19.500 9M19.500 4.500V9H15",
  alike: "M4.500 8.500h11v11h-11zM8.500 8.500v-4h11v11h-4",
  more: "M5.500 12h.01M12 12h.01M18.500 12h.01",
  left: "M14.500 5.500L8 12l6.500 6.500",
  right: "M9.500 5.500L16 12l-6.500 6.500",
  up: "M5.500 14.500L12 8l6.500 6.500",
  down: "M5.500 9.500L12 16l6.500-6.500",
  plus: "M12 5v14M5 12h14",
  warning: "M12 4.500L21 19.500H3zM12 10v4.500M12 17h.01",
  leave: "M14 5H5.500v14H14M10 12h10M16.500 8.500L20 12l-3.500 3.500",
};

export function Icon({ name, size = 20 }) {
  return html`<svg class="glyph" viewBox="0 0 24 24" width=${size} height=${size} fill="none" stroke="currentColor"
    stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}
