"""Making one resampling of the crops, resizes, flips and quarter turns at the head of a pipeline."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from libs.imaging.colours import TRANSPARENT
from libs.imaging.geometry import Box, Size, whole
from libs.imaging.operations import AnyOperation, Crop, Flip, Grayscale, Mirror, Resize, Rotate
from libs.imaging.operations.resize import Kernel, Scaling
from libs.imaging.orientation import followed_by, moved_box, turned_size


class Fused(Struct, frozen=True, kw_only=True):
    """The head of a pipeline in one, and the operations that remain."""

    upright: Size  # the whole image, turned by `orientation`
    orientation: int
    region: Box  # of the upright image
    size: Size  # what the region becomes
    edge: Box | None = None  # of the upright image; a crop came first, so nothing beyond is looked at
    kernel: Kernel | None = None  # none: nothing has been scaled
    canvas: Scaling | None = None  # a resize that lays its result on a larger canvas; nothing follows it
    grey: bool = False
    rest: tuple[AnyOperation, ...] = ()

    @property
    def scaling(self) -> Scaling | None:
        """How the upright image becomes the head's result; None if it is the result."""
        if self.canvas is None and self.kernel is None and self.region == whole(self.upright):
            return None
        return Scaling(
            source=self.upright,
            box=self.region,
            size=self.canvas.size if self.canvas else self.size,
            canvas=self.size,
            offset=self.canvas.offset if self.canvas else (0, 0),
            background=self.canvas.background if self.canvas else TRANSPARENT,
            kernel=self.kernel or "lanczos",
            edge=self.edge,
        )

    def steps(self, luma: bool) -> tuple[AnyOperation, ...]:
        """Give the operations that remain; grayscale is among them unless the decoder does it."""
        rest = tuple(operation for operation in self.rest if operation.changes_pixels)
        return (Grayscale(), *rest) if self.grey and not luma else rest


def fuse(upright: Size, orientation: int, operations: Sequence[AnyOperation]) -> Fused:
    """Take as many operations from the head as give the same result in one."""
    head = Fused(upright=upright, orientation=orientation, region=whole(upright), size=upright)
    rest = list(operations)
    while rest and head.canvas is None:
        operation = rest[0]
        if isinstance(operation, Resize) and operation.looks:
            operation, crop = operation.parts(head.size)
            rest[:1] = [operation, crop]
        taken = _take(head, operation)
        if taken is None:
            break
        head = taken
        del rest[0]
    return replace(head, rest=tuple(rest))


def _take(head: Fused, operation: AnyOperation) -> Fused | None:
    match operation:
        case Crop() if not operation.looks:
            return _crop(head, operation)
        case Resize():
            return _resize(head, operation)
        case Flip() | Mirror() | Rotate():
            return _turn(head, operation)
        case Grayscale():
            return replace(head, grey=True)
        case _:
            return None if operation.changes_pixels else head


def _crop(head: Fused, operation: Crop) -> Fused:
    left, top, right, bottom = operation.box(head.size)
    region = _within(head, Box(left, top, right, bottom))
    edge = region if head.kernel is None else head.edge
    return replace(head, region=region, size=(right - left, bottom - top), edge=edge)


def _resize(head: Fused, operation: Resize) -> Fused | None:
    scaling = operation.plan(head.size)
    changes = scaling.size != head.size or scaling.box != whole(head.size)
    if not changes and scaling.canvas == scaling.size:
        return head
    if head.grey and scaling.canvas != scaling.size:
        return None  # the canvas may be coloured
    if head.kernel is not None and changes:
        grows = scaling.size[0] > scaling.box.width or scaling.size[1] > scaling.box.height
        if grows or "nearest" in {head.kernel, scaling.kernel} or head.kernel != scaling.kernel:
            return None  # what was lost is not to come back
    return replace(
        head,
        region=_within(head, scaling.box),
        size=scaling.canvas,
        kernel=scaling.kernel if changes else head.kernel,
        canvas=scaling if scaling.canvas != scaling.size else None,
    )


def _turn(head: Fused, operation: Flip | Mirror | Rotate) -> Fused | None:
    transpose = operation.transposition(head.size)
    if transpose is None:
        return head if isinstance(operation, Rotate) and operation.angle % 360 == 0 else None
    turned = followed_by(1, transpose)
    return replace(
        head,
        orientation=followed_by(head.orientation, transpose),
        upright=turned_size(head.upright, turned),
        region=moved_box(head.region, head.upright, transpose),
        edge=moved_box(head.edge, head.upright, transpose) if head.edge else None,
        size=turned_size(head.size, turned),
    )


def _within(head: Fused, box: Box) -> Box:
    """Find a box of the head's result in the upright image."""
    across, down = head.region.width / head.size[0], head.region.height / head.size[1]
    return box.scaled(across, down).moved(head.region.left, head.region.top)
