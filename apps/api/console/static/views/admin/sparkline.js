// A small line of numbers over the last hour, oldest first.
import { html } from "../../vendor/preact.js";

const WIDTH = 120;
const HEIGHT = 32;

export function Sparkline({ values, label, kind = "" }) {
  const highest = Math.max(1, ...values);
  const points = values.map((value, nth) => [
    (WIDTH * nth) / Math.max(1, values.length - 1),
    HEIGHT - 2 - ((HEIGHT - 4) * value) / highest,
  ].map((at) => at.toFixed(1)));
  return html`<svg class="sparkline ${kind}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${`${label}, at most ${Math.max(0, ...values).toLocaleString("en")}`}>
    <polygon points=${`0,${HEIGHT} ${points.map((point) => point.join()).join(" ")} ${WIDTH},${HEIGHT}`} />
    <polyline points=${points.map((point) => point.join()).join(" ")} vector-effect="non-scaling-stroke" /></svg>`;
}
