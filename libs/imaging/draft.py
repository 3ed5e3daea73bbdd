"""Drafts: operations over a smaller image, so that a person sees at once about what they do."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from libs.imaging.formats import FORMATS
from libs.imaging.operations import (
    AnyOperation,
    Blur,
    Compress,
    Convert,
    Crop,
    Frames,
    Pad,
    Pixelate,
    Point,
    Region,
    Resize,
    RoundCorners,
    Sharpen,
    Watermark,
)
from libs.imaging.plan import Plan

DRAFT_SIDE = 960  # pixels of the longer side of the image that a draft starts from
QUICK_SIDE = 1600  # a pipeline that starts by scaling down to this needs no smaller image

LENGTHS: Mapping[type[Struct], tuple[str, ...]] = {
    Resize: ("width", "height"),
    Crop: ("x", "y", "width", "height"),
    Pad: ("top", "right", "bottom", "left"),
    Watermark: ("size", "margin", "position"),
    Blur: ("sigma",),
    Sharpen: ("radius",),
    Pixelate: ("size", "box"),
    RoundCorners: ("radius",),
    Region: ("x", "y", "width", "height"),
    Point: ("x", "y"),
}
"""The fields that are lengths in pixels, or have some."""


def draft_of(operations: Sequence[AnyOperation], plan: Plan) -> tuple[AnyOperation, ...]:
    """Return operations that show, in less time, about what `operations` show by their `plan`.

    They start from a smaller image, with smaller lengths, and write a still picture in a format that is
    encoded quickly; its transparency is that of the result.
    """
    factor = _factor(plan)
    changing = [step for step in operations if not isinstance(step, Convert | Compress)]
    alpha = FORMATS[plan.output.format].alpha
    background = "#" + bytes(plan.output.background[:3]).hex()
    return (
        Frames(frame=0),
        *((Resize(scale=factor, kernel="bilinear"),) if factor < 1 else ()),
        *(scaled(step, factor) for step in changing),
        Convert(format="webp" if alpha else "jpeg", quality=80, effort=0, background=background),
    )


def scaled(operation: AnyOperation, factor: float) -> AnyOperation:
    """Return the operation for an image that is smaller by a factor: with all its lengths smaller by it."""
    return operation if factor == 1 else _scaled(operation, factor)


def _factor(plan: Plan) -> float:
    if plan.scaling is not None and max(plan.scaling.canvas) <= QUICK_SIDE:
        return 1.0
    return min(1.0, DRAFT_SIDE / max(plan.facts.size))


def _scaled(value: Any, factor: float) -> Any:  # noqa: ANN401 - a length, or a Struct with some
    """Round down, so that a box that lies within an image still does; what was not 0 does not become 0."""
    if isinstance(value, Struct):
        lengths = {name: _scaled(getattr(value, name), factor) for name in LENGTHS.get(type(value), ())}
        return replace(value, **lengths)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    smaller = value * factor
    return smaller if isinstance(value, float) else max(math.floor(smaller), min(value, 1))
