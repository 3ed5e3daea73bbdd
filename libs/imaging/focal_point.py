"""The focal point of a stored image, put in the place of `gravity: "focus"`, wherever it has moved to."""

from collections.abc import Sequence
from math import cos, radians, sin
from typing import TypeAlias

from msgspec.structs import replace

from libs.imaging.geometry import Focus, Size
from libs.imaging.operations import AnyOperation, Crop, Flip, Mirror, Pad, Resize, Rotate

FOCUS = "focus"
Point: TypeAlias = tuple[float, float]  # in pixels, from the left and the top


def uses_focus(operations: Sequence[AnyOperation]) -> bool:
    """Return whether an operation asks for the focal point."""
    return any(_uses_focus(operation) for operation in operations)


def with_focus(
    operations: Sequence[AnyOperation], focus: Focus | None, size: Size
) -> tuple[AnyOperation, ...]:
    """Put the focal point into the operations that ask for it; without one, the centre.

    The point moves with the picture: after a crop or a rotation it has other fractions. A crop or resize that
    looks at pixels counts as one at the centre.

    Args:
        operations: What will run over the image.
        focus: A point of the upright image.
        size: The size of the upright image, in pixels.

    Raises:
        CropOutside: A crop before an operation that asks for the point does not lie within the image.
    """
    placed: list[AnyOperation] = []
    at = None if focus is None else (focus.x * size[0], focus.y * size[1])
    for position, operation in enumerate(operations):
        if not uses_focus(operations[position:]):
            return (*placed, *operations[position:])
        if _uses_focus(operation):
            operation = replace(operation, gravity="center" if at is None else _fractions(at, size))
        if at is not None:
            at = _moved(at, operation, size)
            size = operation.result_size(size)
        placed.append(operation)
    return tuple(placed)


def _uses_focus(operation: AnyOperation) -> bool:
    return isinstance(operation, Resize | Crop) and operation.gravity == FOCUS


def _fractions(at: Point, size: Size) -> Focus:
    """Return a point as fractions; one that was cut off becomes the nearest at the edge."""
    return Focus(min(max(at[0] / size[0], 0.0), 1.0), min(max(at[1] / size[1], 0.0), 1.0))


def _moved(at: Point, operation: AnyOperation, size: Size) -> Point:
    """Return where a point of an image of `size` is after an operation, in pixels of the result."""
    match operation:
        case Crop():
            left, top, _, _ = operation.box(size)
            return at[0] - left, at[1] - top
        case Resize():
            scaling = operation.plan(size)
            across, down = scaling.size[0] / scaling.box.width, scaling.size[1] / scaling.box.height
            left, top = scaling.offset
            return (at[0] - scaling.box.left) * across + left, (at[1] - scaling.box.top) * down + top
        case Mirror():
            return size[0] - at[0], at[1]
        case Flip():
            return at[0], size[1] - at[1]
        case Rotate():
            return _rotated(at, operation.angle, size, operation.result_size(size))
        case Pad():
            return at[0] + operation.left, at[1] + operation.top
        case _:
            return at


def _rotated(at: Point, degrees: float, before: Size, after: Size) -> Point:
    """Rotate a point clockwise around the centre, which stays the centre."""
    x, y = at[0] - before[0] / 2, at[1] - before[1] / 2
    cosine, sine = cos(radians(degrees)), sin(radians(degrees))
    return x * cosine - y * sine + after[0] / 2, x * sine + y * cosine + after[1] / 2
