"""Fuse the crops, resizes, flips and quarter turns at the head of a pipeline into one resampling."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from libs.imaging.colours import TRANSPARENT
from libs.imaging.geometry import Box, Size, full_box
from libs.imaging.operations import AnyOperation, Crop, Flip, Grayscale, Mirror, Resize, Rotate
from libs.imaging.operations.resize import Kernel, Scaling
from libs.imaging.orientation import compose_orientation, transposed_box, upright_size


class FusedHead(Struct, frozen=True, kw_only=True):
    """The fused head of a pipeline, and the operations after it."""

    upright: Size  # the full image after `orientation`
    orientation: int  # of the source, and the flips and quarter turns of the head
    region: Box  # of the upright image
    size: Size  # of the head's result
    edge: Box | None = None  # of the upright image: set by a crop, and resampling uses no pixel beyond it
    kernel: Kernel | None = None  # None: nothing is scaled
    canvas: Scaling | None = None  # a resize that pads its result; nothing is fused after it
    grey: bool = False
    rest: tuple[AnyOperation, ...] = ()

    @property
    def scaling(self) -> Scaling | None:
        """The resampling of the upright image; None if there is none to do."""
        if self.canvas is None and self.kernel is None and self.region == full_box(self.upright):
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

    def remaining(self, luma: bool) -> tuple[AnyOperation, ...]:
        """Return the operations to run after decoding; `luma`: the decoder already drops the colours."""
        rest = tuple(operation for operation in self.rest if operation.changes_pixels)
        return (Grayscale(), *rest) if self.grey and not luma else rest


def fuse(upright: Size, orientation: int, operations: Sequence[AnyOperation]) -> FusedHead:
    """Fuse as many operations from the head as can be done in one step with the same result."""
    head = FusedHead(upright=upright, orientation=orientation, region=full_box(upright), size=upright)
    rest = list(operations)
    while rest and head.canvas is None:
        operation = rest[0]
        if isinstance(operation, Resize) and operation.content_aware:
            operation, crop = operation.split(head.size)
            rest[:1] = [operation, crop]
        extended = _add(head, operation)
        if extended is None:
            break
        head = extended
        del rest[0]
    return replace(head, rest=tuple(rest))


def _add(head: FusedHead, operation: AnyOperation) -> FusedHead | None:
    """Add an operation to the head; None if it cannot be fused."""
    match operation:
        case Crop() if not operation.content_aware:
            return _add_crop(head, operation)
        case Resize():
            return _add_resize(head, operation)
        case Flip() | Mirror() | Rotate():
            return _add_transposition(head, operation)
        case Grayscale():
            return replace(head, grey=True)
        case _:
            return None if operation.changes_pixels else head


def _add_crop(head: FusedHead, operation: Crop) -> FusedHead:
    left, top, right, bottom = operation.box(head.size)
    region = _to_upright(head, Box(left, top, right, bottom))
    edge = region if head.kernel is None else head.edge
    return replace(head, region=region, size=(right - left, bottom - top), edge=edge)


def _add_resize(head: FusedHead, operation: Resize) -> FusedHead | None:
    scaling = operation.plan(head.size)
    changes = scaling.size != head.size or scaling.box != full_box(head.size)
    if not changes and scaling.canvas == scaling.size:
        return head
    if head.grey and scaling.canvas != scaling.size:
        return None  # the canvas may have a colour
    if head.kernel is not None and changes:
        enlarges = scaling.size[0] > scaling.box.width or scaling.size[1] > scaling.box.height
        if enlarges or "nearest" in {head.kernel, scaling.kernel} or head.kernel != scaling.kernel:
            return None  # fused, the second resize would see detail that the first one removed
    return replace(
        head,
        region=_to_upright(head, scaling.box),
        size=scaling.canvas,
        kernel=scaling.kernel if changes else head.kernel,
        canvas=scaling if scaling.canvas != scaling.size else None,
    )


def _add_transposition(head: FusedHead, operation: Flip | Mirror | Rotate) -> FusedHead | None:
    transpose = operation.transposition(head.size)
    if transpose is None:
        return head if isinstance(operation, Rotate) and operation.angle % 360 == 0 else None
    turn = compose_orientation(1, transpose)
    return replace(
        head,
        orientation=compose_orientation(head.orientation, transpose),
        upright=upright_size(head.upright, turn),
        region=transposed_box(head.region, head.upright, transpose),
        edge=transposed_box(head.edge, head.upright, transpose) if head.edge else None,
        size=upright_size(head.size, turn),
    )


def _to_upright(head: FusedHead, box: Box) -> Box:
    """Convert a box of the head's result to a box of the upright image."""
    across, down = head.region.width / head.size[0], head.region.height / head.size[1]
    return box.scaled(across, down).moved(head.region.left, head.region.top)
