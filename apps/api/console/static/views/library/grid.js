// A grid that holds only the rows in sight, however many images there are; it scrolls with the page.
import { html, render, useCallback, useEffect, useLayoutEffect, useRef, useState } from "../../vendor/preact.js";
import { Tile } from "./tile.js";

const GAP = 12;
const NAME = 28;
const ROWS_BEYOND = 2; // drawn above and below what is in sight

// The measures of the grid for its width: two or more columns of square tiles.
export function measures(width) {
  const least = width < 600 ? 104 : 168;
  const columns = Math.max(2, Math.floor((width + GAP) / (least + GAP)));
  const side = Math.floor((width - GAP * (columns - 1)) / columns);
  return { columns, side, row: side + NAME + GAP };
}

// `control` is given { columns, reveal(index) } for the keyboard.
export function Grid({ items, total, selected, active, control, onNeed, onOpen, onSelect }) {
  const box = useRef(null);
  const [sizes, setSizes] = useState(null);
  const [range, setRange] = useState([0, 0]);
  useLayoutEffect(() => {
    const measure = () => setSizes(measures(box.current.clientWidth));
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    measure();
    return () => observer.disconnect();
  }, []);
  useEffect(() => (sizes ? watchScroll(box.current, sizes, setRange) : undefined), [sizes, total]);
  useEffect(() => {
    if (sizes) onNeed(Math.min(total, range[1] * sizes.columns));
  }, [range, sizes, total]);
  control.current = sizes && { columns: sizes.columns, reveal: (index) => reveal(box.current, index, sizes) };
  const rows = sizes ? Math.ceil(total / sizes.columns) : 0;
  const [from, to] = [Math.min(range[0], rows), Math.min(range[1], rows)];
  const cells = useCallback((row) => drawnCells({ row, sizes, items, total, selected, active, onOpen, onSelect }),
    [sizes, items, total, selected, active, onOpen, onSelect]);
  useRows(box, from, to, sizes, cells);
  return html`<div class="grid" ref=${box} role="grid" aria-label="Images" aria-rowcount=${rows} aria-multiselectable="true"
      style=${sizes && { height: `${rows * sizes.row}px` }}></div>`;
}

// Draws `cells(row)` of the rows from `from` to before `to`; again only when `cells` is another function, which
// scrolling does not change. Each row is a tree of its own: in one tree, a row that skips its update keeps the rows
// that were there when it was made, and these keep others, so that nothing which was ever in sight would be freed.
function useRows(box, from, to, sizes, cells) {
  const drawn = useRef(new Map()); // row -> { element, cells }
  const drop = (row) => {
    const { element } = drawn.current.get(row);
    render(null, element);
    element.remove();
    drawn.current.delete(row);
  };
  useLayoutEffect(() => {
    [...drawn.current.keys()].filter((row) => row < from || row >= to).forEach(drop);
    for (let row = to - 1; row >= from; row -= 1) {
      const element = drawn.current.get(row)?.element ?? document.createElement("div");
      if (drawn.current.get(row)?.cells === cells) continue;
      element.className = "grid-row";
      element.role = "row";
      element.ariaRowIndex = row + 1;
      element.style.transform = `translateY(${row * sizes.row}px)`;
      element.style.gridTemplateColumns = `repeat(${sizes.columns}, ${sizes.side}px)`;
      if (!element.isConnected) box.current.insertBefore(element, drawn.current.get(row + 1)?.element ?? null);
      drawn.current.set(row, { element, cells });
      render(cells(row), element);
    }
  });
  useEffect(() => () => [...drawn.current.keys()].forEach(drop), []);
}

function drawnCells({ row, sizes, items, total, selected, active, onOpen, onSelect }) {
  const from = row * sizes.columns;
  const indexes = Array.from({ length: Math.min(sizes.columns, total - from) }, (_, i) => from + i);
  return html`${indexes.map((index) => {
    const image = items[index];
    return html`<div role="gridcell" key=${image?.id ?? index} aria-selected=${image ? selected.has(image.id) : undefined}>
      ${image
        ? html`<${Tile} image=${image} index=${index} active=${index === active} selected=${selected.has(image.id)} onOpen=${onOpen} onSelect=${onSelect} />`
        : html`<div class="tile"><div class="picture"></div></div>`}
    </div>`;
  })}`;
}

function watchScroll(box, sizes, setRange) {
  let frame = 0;
  const look = () => {
    frame = 0;
    const above = -box.getBoundingClientRect().top;
    const from = Math.max(0, Math.floor(above / sizes.row) - ROWS_BEYOND);
    const to = Math.max(from, Math.ceil((above + innerHeight) / sizes.row) + ROWS_BEYOND);
    setRange((range) => (range[0] === from && range[1] === to ? range : [from, to]));
  };
  const scrolled = () => (frame ||= requestAnimationFrame(look));
  look();
  addEventListener("scroll", scrolled, { passive: true });
  addEventListener("resize", scrolled);
  return () => {
    cancelAnimationFrame(frame);
    removeEventListener("scroll", scrolled);
    removeEventListener("resize", scrolled);
  };
}

// Scrolls until the row of an image is in sight, and gives the image the focus once it is drawn.
function reveal(box, index, sizes) {
  const top = box.getBoundingClientRect().top + Math.floor(index / sizes.columns) * sizes.row;
  const margin = 96; // what lies over the page: the bars above and below
  if (top < margin) scrollBy({ top: top - margin, behavior: "instant" });
  else if (top + sizes.row > innerHeight - margin) scrollBy({ top: top + sizes.row - innerHeight + margin, behavior: "instant" });
  let tries = 20;
  const focus = () => {
    const link = box.querySelector(`[data-index="${index}"]`);
    if (link) link.focus({ preventScroll: true });
    else if ((tries -= 1)) requestAnimationFrame(focus);
  };
  requestAnimationFrame(focus);
}
