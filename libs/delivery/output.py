"""What an address gets beside its steps: a format, and a width that the browser chose."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from libs.imaging.formats import FORMATS, FormatName, WrittenName
from libs.imaging.limits import LONGEST_SIDE
from libs.imaging.operations import AnyOperation, Convert, Frames, Resize

NEGOTIATED: tuple[WrittenName, ...] = ("avif", "webp", "jxl")
"""The formats that are sent only to clients whose `Accept` names them."""

_REFUSED = re.compile(r"q\s*=\s*0(\.0*)?")
SLOW_ANIMATIONS: frozenset[FormatName] = frozenset({"avif", "jxl"})


def accepted_formats(accept: str) -> frozenset[WrittenName]:
    """Return which of `NEGOTIATED` a header `Accept` names; `*/*` names none."""
    found: set[WrittenName] = set()
    for entry in accept.split(","):
        media_type, *parameters = [part.strip().lower() for part in entry.split(";")]
        refused = any(
            part.replace(" ", "").startswith("q=0") and not part.strip("q=0. ") for part in parameters
        )
        found.update(name for name in NEGOTIATED if media_type == FORMATS[name].mime and not refused)
    return frozenset(found)


def fixed_format(operations: Sequence[AnyOperation]) -> str | None:
    """Return the format that the operations name, unless it is `auto`."""
    named = next((step.format for step in reversed(operations) if isinstance(step, Convert)), "auto")
    return None if named == "auto" else named


def negotiated_format(
    accepted: frozenset[WrittenName], formats: Sequence[WrittenName], source: FormatName, *, animated: bool
) -> WrittenName | None:
    """Return the first of `formats` that the client accepts; None for JPEG, or PNG with transparency.

    An animation becomes a WebP or a GIF: other formats take long, or lose frames.
    """
    for name in formats:
        taken = name in accepted or name not in NEGOTIATED
        if taken and not (animated and (name in SLOW_ANIMATIONS or not FORMATS[name].animation)):
            return name
    return "gif" if animated and source != "png" else None


def with_format(operations: Sequence[AnyOperation], name: str | None) -> tuple[AnyOperation, ...]:
    """Return the operations with this format of the result; None: JPEG, or PNG with transparency."""
    chosen = Convert(format="auto", accept=()) if name is None else Convert(format=name)  # pyright: ignore[reportArgumentType]
    last = next((step for step in reversed(operations) if isinstance(step, Convert)), None)
    others = tuple(step for step in operations if step is not last)
    if last is None:
        return (*others, chosen)
    return (*others, replace(last, format=chosen.format, accept=chosen.accept))


def with_width(operations: Sequence[AnyOperation], width: int) -> tuple[AnyOperation, ...]:
    """Return the operations with a result of this width: the last resize is scaled to it, or one is added."""
    at = next((n for n, step in reversed(list(enumerate(operations))) if isinstance(step, Resize)), None)
    if at is None:
        last_convert = operations and isinstance(operations[-1], Convert)
        tail = operations[-1:] if last_convert else ()
        return (*operations[: len(operations) - len(tail)], Resize(width=width), *tail)
    resize = operations[at]
    assert isinstance(resize, Resize)  # noqa: S101 - for the type checker
    height = None
    if resize.width is not None and resize.height is not None:
        height = min(LONGEST_SIDE, max(1, round(resize.height * width / resize.width)))
    sized = replace(resize, width=width, height=height, scale=None)
    return (*operations[:at], sized, *operations[at + 1 :])


def is_animated(frames: int, operations: Sequence[AnyOperation]) -> bool:
    """Return whether the result has several frames."""
    return frames > 1 and not any(isinstance(step, Frames) and step.frame is not None for step in operations)
