// Two pictures, one over the other: a slider shows more of the one or the other.
import { html, useState } from "../../vendor/preact.js";
import { SCREEN, usePicture } from "../../components/picture.js";
import { Failure, Loading } from "../../components/states.js";

export function Compare({ before, after, onClose }) {
  const [at, setAt] = useState(50);
  const [first, second] = [usePicture(before.id, { operations: SCREEN }), usePicture(after.id, { operations: SCREEN })];
  const error = first.error ?? second.error;
  if (error) return html`<div class="stage"><${Failure} title="These pictures cannot be compared." error=${error} /></div>`;
  if (!first.picture || !second.picture) return html`<div class="stage"><${Loading} label="Rendering" /></div>`;
  return html`<div class="stage compare" role="group" aria-label="Before and after">
    <img class="checkered" src=${first.picture.url} alt="Before: ${before.filename}" style=${{ clipPath: `inset(0 ${100 - at}% 0 0)` }} />
    <img class="checkered" src=${second.picture.url} alt="After: ${after.filename}" style=${{ clipPath: `inset(0 0 0 ${at}%)` }} />
    <span class="divide" style=${{ left: `${at}%` }}></span>
    <input type="range" min="0" max="100" value=${at} aria-label="How much of the picture is before" onInput=${(event) => setAt(Number(event.target.value))} />
    <span class="side left badge">Before</span><span class="side right badge">After</span>
    <button class="button small end" onClick=${onClose}>End comparison</button>
  </div>`;
}
