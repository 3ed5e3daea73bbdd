"""What is going to be done to a file, settled before a pixel is decoded.

Crops, resizes, flips and quarter turns at the head of a pipeline become one resampling of the stored
pixels, and grayscale among them is left to the JPEG decoder. The plan is a value: it is printed and tested
without any pixels.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from libs.imaging.errors import FrameMissing, ResultTooLarge, SideTooLong, SourceFault
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.geometry import Size
from libs.imaging.limits import Limits
from libs.imaging.operation_fusion import Fused, fuse
from libs.imaging.operations import AnyOperation, Compress, Rotate
from libs.imaging.operations.operation import Output, name_of
from libs.imaging.operations.resize import Scaling
from libs.imaging.orientation import turned_size

LARGE_PIXELS = 4_000_000
MARGIN = 1.5
LARGE_MARGIN = 1.25
"""How much larger than the result a JPEG is decoded. Where neighbouring pixels of the source differ most, in
stars of one pixel, 1.25 gives 38.8 dB to a full decode and 1.5 gives 42.4; large pictures are never that
sharp, and 1.25 spares them a third of the time."""

_SHRINKS = (8, 4, 2)


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of an opened file before it is decoded."""

    format: FormatName
    size: Size  # of the stored pixels
    frames: int
    orientation: int  # EXIF
    mode: str
    srgb: bool  # no profile changes its colours


class Step(Struct, frozen=True, kw_only=True):
    """One operation with the sizes before and after it."""

    operation: AnyOperation
    before: Size
    after: Size
    exact: bool  # else the largest it can be: only the pixels tell


class Plan(Struct, frozen=True, kw_only=True):
    """Everything that is settled before decoding."""

    facts: Facts
    first_frame: int
    frames: int
    shrink: int  # a JPEG is decoded at 1/1, 1/2, 1/4 or 1/8
    luma: bool  # a JPEG is decoded without its colours
    orientation: int  # how stored pixels are turned, flips and quarter turns of the pipeline included
    scaling: Scaling | None  # of the upright image
    steps: tuple[Step, ...]
    output: Output
    size: Size  # of the result
    exact: bool
    reencodes: bool  # nothing is asked but a smaller file

    def lines(self) -> list[str]:
        """Tell the plan to people."""
        return [self._source(), self._decoding(), *self._work(), self._writing()]

    def _source(self) -> str:
        facts = self.facts
        turned = f", EXIF orientation {facts.orientation}" if facts.orientation != 1 else ""
        colours = "" if facts.srgb else ", own colour profile"
        stored = f"{facts.format} {_by(facts.size)} {facts.mode}, {facts.frames} frame(s)"
        return f"source   {stored}{turned}{colours}"

    def _decoding(self) -> str:
        frames = f"frame {self.first_frame}" if self.frames == 1 else f"{self.frames} frames"
        size = tuple(-(-side // self.shrink) for side in self.facts.size)
        fraction = f" at 1/{self.shrink}" if self.shrink > 1 else ""
        luma = ", luma only" if self.luma else ""
        return f"decode   {frames}{fraction}: {size[0]}x{size[1]}{luma}"

    def _work(self) -> list[str]:
        lines: list[str] = []
        if self.scaling:
            box = ", ".join(f"{edge:g}" for edge in self.scaling.box)
            lines.append(f"resample ({box}) of the upright image to {_by(self.scaling.size)}")
            if self.scaling.canvas != self.scaling.size:
                lines.append(f"lay      on {_by(self.scaling.canvas)} at {self.scaling.offset}")
        if self.orientation != 1:
            lines.append(f"turn     as orientation {self.orientation}, after shrinking")
        if not self.facts.srgb and self.output.color == "srgb":
            lines.append("colours  to sRGB, after shrinking")
        for step in self.steps:
            most = "" if step.exact else "at most "
            lines.append(f"step     {name_of(step.operation)}: {_by(step.before)} -> {most}{_by(step.after)}")
        return lines

    def _writing(self) -> str:
        output = self.output
        name = (
            f"{output.format}, or {output.opaque_format} if opaque" if output.opaque_format else output.format
        )
        told = {"quality": output.quality, "colours": output.colours, "at most bytes": output.max_bytes}
        options = "".join(f", {word} {value}" for word, value in told.items() if value is not None)
        most = "" if self.exact else "at most "
        return f"write    {name}{options}: {most}{_by(self.size)}, metadata {output.metadata}"


def make_plan(facts: Facts, operations: Sequence[AnyOperation], limits: Limits) -> Plan:
    """Settle how `operations` are run over a file.

    Raises:
        OperationFault: An operation does not fit the image, or its result goes beyond `limits`.
    """
    output = Output(format=facts.format)
    for operation in operations:
        output = operation.settle(output)
    first, count = _frames(facts, output)
    upright = turned_size(facts.size, facts.orientation)
    size, exact = _check(upright, count, operations, output, limits)
    fused = fuse(upright, facts.orientation, operations)
    luma = (
        fused.grey
        and facts.format == "jpeg"
        and facts.mode == "RGB"
        and (facts.srgb or output.color == "keep")
    )
    return Plan(
        facts=facts,
        first_frame=first,
        frames=count,
        shrink=_shrink(facts, fused),
        luma=luma,
        orientation=fused.orientation,
        scaling=fused.scaling,
        steps=_steps(fused, luma, output),
        output=output,
        size=size,
        exact=exact,
        reencodes=bool(operations)
        and all(isinstance(operation, Compress) for operation in operations)
        and output.never_larger
        and output.format == facts.format
        and (count == facts.frames),
    )


def _frames(facts: Facts, output: Output) -> tuple[int, int]:
    """Give the first frame to decode, and how many."""
    if output.frame is not None:
        if output.frame >= facts.frames:
            raise FrameMissing(output.frame, facts.frames)
        return output.frame, 1
    if not (FORMATS[facts.format].animation and FORMATS[output.format].animation):
        return 0, 1
    return 0, min(facts.frames, output.max_frames or facts.frames)


def _check(
    size: Size, frames: int, operations: Sequence[AnyOperation], output: Output, limits: Limits
) -> tuple[Size, bool]:
    """Go through all sizes; once a step's is not foretold, those after it are checked as they come."""
    exact = True
    for operation in operations:
        if exact:
            size = operation.result_size(size)
            check_step(operation, size, frames, limits)
        exact = exact and operation.foretold
    longest = FORMATS[output.format].longest_side
    if max(size) > longest:
        raise ResultTooLarge(f"convert to {output.format}", str(SideTooLong(max(size), longest)))
    return size, exact


def check_step(operation: AnyOperation, size: Size, frames: int, limits: Limits) -> None:
    """Refuse a step whose result goes beyond `limits`."""
    try:
        limits.check(*size, frames)
    except SourceFault as error:
        raise ResultTooLarge(name_of(operation), str(error)) from error


def _shrink(facts: Facts, fused: Fused) -> int:
    """Give the fraction of its size that a JPEG is decoded at."""
    scaling = fused.scaling
    if facts.format != "jpeg" or scaling is None or scaling.kernel == "nearest":
        return 1
    margin = LARGE_MARGIN if facts.size[0] * facts.size[1] > LARGE_PIXELS else MARGIN
    room = min(scaling.box.width / scaling.size[0], scaling.box.height / scaling.size[1]) / margin
    return next((shrink for shrink in _SHRINKS if shrink <= room + 1e-9), 1)


def _steps(fused: Fused, luma: bool, output: Output) -> tuple[Step, ...]:
    size = fused.size
    steps: list[Step] = []
    exact = True
    operations = fused.steps(luma)
    for operation in operations:
        after = operation.result_size(size) if exact else size
        exact = exact and operation.foretold
        if operation is operations[-1]:
            operation = _without_detour(operation, output)
        steps.append(Step(operation=operation, before=size, after=after, exact=exact))
        size = after
    return tuple(steps)


def _without_detour(operation: AnyOperation, output: Output) -> AnyOperation:
    """Show the background at once, rather than clear corners that are flattened onto it when writing."""
    opaque = output.background[3] == 255 and not FORMATS[output.format].alpha
    if isinstance(operation, Rotate) and operation.background is None and opaque:
        return replace(operation, background="#" + bytes(output.background[:3]).hex())
    return operation


def _by(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
