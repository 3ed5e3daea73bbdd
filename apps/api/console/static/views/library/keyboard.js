// Moving and selecting in the grid without a mouse.
import { useKeys } from "../../components/hooks.js";
import { go } from "../../router.js";
import { selection } from "../../store.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], PageUp: [0, -4], PageDown: [0, 4] };

export function toggle(id) {
  selection.set((all) => {
    const next = new Set(all);
    if (!next.delete(id)) next.add(id);
    return next;
  });
}

export function selectRange(items, from, to) {
  const ids = items.slice(Math.min(from, to), Math.max(from, to) + 1).map(({ id }) => id);
  selection.set((all) => new Set([...all, ...ids]));
}

export function useGridKeys({ items, active, setActive, control, onRemove }) {
  useKeys((event) => {
    const act = actionOf(event, { items, active, setActive, control, onRemove });
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function actionOf(event, { items, active, setActive, control, onRemove }) {
  const inGrid = event.target === document.body || event.target.id === "content" || event.target.closest(".grid");
  if (event.key === "Escape" && selection.get().size) return () => selection.set(new Set());
  if (!inGrid || !items.length || event.altKey) return null;
  const { columns } = control.current ?? { columns: 1 };
  const move = (to) => () => {
    const next = Math.max(0, Math.min(items.length - 1, to));
    if (event.shiftKey) selectRange(items, active, next);
    setActive(next);
    control.current?.reveal(next);
  };
  if (event.key === "a" && (event.ctrlKey || event.metaKey)) return () => selection.set(new Set(items.map(({ id }) => id)));
  if (event.ctrlKey || event.metaKey) return null;
  if (event.key in STEPS) return move(active + STEPS[event.key][0] + columns * STEPS[event.key][1]);
  if (event.key === "Home") return move(0);
  if (event.key === "End") return move(items.length - 1);
  if (event.key === " " || event.key === "x") return () => toggle(items[active].id);
  if (event.key === "Enter" && event.target === document.body) return () => go(`/images/${items[active].id}`);
  if (event.key === "Delete" && selection.get().size) return onRemove;
  return null;
}
