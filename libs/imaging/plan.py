"""Plan how a pipeline runs over a file, before any pixel is decoded.

Crops, resizes, flips and quarter turns at the head of a pipeline become one resampling of the stored pixels.
A grayscale among them is left to the JPEG decoder. A plan is a plain value that can be printed and tested
without pixels.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.errors import FrameMissing, ResultTooLarge, SideTooLong, SourceFault
from libs.imaging.formats import FORMATS, FormatName, is_written
from libs.imaging.geometry import Size
from libs.imaging.limits import Limits
from libs.imaging.operation_fusion import FusedHead, fuse
from libs.imaging.operations import AnyOperation, Compress, Rotate
from libs.imaging.operations.operation import Output, name_of
from libs.imaging.operations.resize import Scaling
from libs.imaging.orientation import upright_size

LARGE_PIXELS = 4_000_000

_SHRINKS = (8, 4, 2)
_MARGINS = {8: 1.5, 4: 1.5, 2: 1.5}
_LARGE_MARGINS = {8: 1.25, 4: 1.25, 2: 1.5}
"""By shrink: how many times larger than the result a JPEG is decoded at least. For the sharpest detail, stars
of one pixel, the PSNR to a full decode is 38.8 dB with 1.25 and 42.4 dB with 1.5. Images above `LARGE_PIXELS`
are never that sharp. Their margins give at least sharp's PSNR at every size: 44 dB from 12 MP to 800 pixels,
50 dB to 1280, 57 dB above a third of the source, each in less time."""


class Facts(Struct, frozen=True, kw_only=True):
    """Facts about an opened file that are known before it is decoded."""

    format: FormatName
    size: Size  # of the stored pixels
    frames: int
    orientation: int  # EXIF
    mode: str
    described: ColourSpace | None = None  # what the file says about its colours besides an ICC profile
    srgb: bool  # converting the colours to sRGB changes nothing


class Step(Struct, frozen=True, kw_only=True):
    """One operation with the sizes before and after it."""

    operation: AnyOperation
    before: Size
    after: Size
    exact: bool  # otherwise `after` is the largest possible size, because it depends on the pixels


class Plan(Struct, frozen=True, kw_only=True):
    """Everything that is decided before decoding."""

    facts: Facts
    first_frame: int
    frames: int
    shrink: int  # 1, 2, 4 or 8: a JPEG is decoded at 1/shrink of its size
    luma: bool  # a JPEG is decoded without its colours
    orientation: int  # of the source, with the flips and quarter turns at the head of the pipeline
    scaling: Scaling | None  # of the upright image
    steps: tuple[Step, ...]
    output: Output
    size: Size  # of the result
    exact: bool
    only_compresses: bool  # if the file does not become smaller, the source is kept

    def lines(self) -> list[str]:
        """Return the plan as text, one line for each step."""
        return [self._source(), self._decoding(), *self._work(), self._writing()]

    def _source(self) -> str:
        facts = self.facts
        turned = f", EXIF orientation {facts.orientation}" if facts.orientation != 1 else ""
        colours = "" if facts.srgb else ", embedded colour profile"
        if facts.described and not facts.srgb:
            colours = ", described colours"
        stored = f"{facts.format} {_wxh(facts.size)} {facts.mode}, {facts.frames} frame(s)"
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
            lines.append(f"resample ({box}) of the upright image to {_wxh(self.scaling.size)}")
            if self.scaling.canvas != self.scaling.size:
                lines.append(f"pad      to {_wxh(self.scaling.canvas)}, image at {self.scaling.offset}")
        if self.orientation != 1:
            lines.append(f"turn     as orientation {self.orientation}, after shrinking")
        if not self.facts.srgb and self.output.color == "srgb":
            lines.append("colours  to sRGB, after shrinking")
        for step in self.steps:
            qualifier = "" if step.exact else "at most "
            lines.append(
                f"step     {name_of(step.operation)}: {_wxh(step.before)} -> {qualifier}{_wxh(step.after)}"
            )
        return lines

    def _writing(self) -> str:
        output = self.output
        name = (
            f"{output.format}, or {output.opaque_format} if opaque" if output.opaque_format else output.format
        )
        values = {"quality": output.quality, "colours": output.colours, "max bytes": output.max_bytes}
        options = "".join(f", {label} {value}" for label, value in values.items() if value is not None)
        qualifier = "" if self.exact else "at most "
        return f"write    {name}{options}: {qualifier}{_wxh(self.size)}, metadata {output.metadata}"


def make_plan(facts: Facts, operations: Sequence[AnyOperation], limits: Limits) -> Plan:
    """Plan how to run `operations` over a file.

    Raises:
        OperationFault: An operation cannot be applied to the image, or its result is above `limits`.
    """
    output = _default_output(facts.format)
    for operation in operations:
        output = operation.update_output(output)
    first, count = _choose_frames(facts, output)
    upright = upright_size(facts.size, facts.orientation)
    size, exact = _check_sizes(upright, count, operations, output, limits)
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
        only_compresses=bool(operations)
        and all(isinstance(operation, Compress) for operation in operations)
        and output.never_larger
        and output.format == facts.format
        and (count == facts.frames),
    )


def _default_output(name: FormatName) -> Output:
    """Keep the source's format; use PNG or JPEG for one that is only read."""
    return Output(format=name) if is_written(name) else Output(format="png", opaque_format="jpeg")


def _choose_frames(facts: Facts, output: Output) -> tuple[int, int]:
    """Return the first frame to decode and the number of frames."""
    if output.frame is not None:
        if output.frame >= facts.frames:
            raise FrameMissing(output.frame, facts.frames)
        return output.frame, 1
    if not (FORMATS[facts.format].animation and FORMATS[output.format].animation):
        return 0, 1
    return 0, min(facts.frames, output.max_frames or facts.frames)


def _check_sizes(
    size: Size, frames: int, operations: Sequence[AnyOperation], output: Output, limits: Limits
) -> tuple[Size, bool]:
    """Check the size after each operation up to the first that is not exact; the rest is checked at run time.

    Return the last size that is known, and whether it is that of the result.
    """
    exact = True
    for operation in operations:
        if exact:
            size = operation.result_size(size)
            check_step(operation, size, frames, limits)
        exact = exact and operation.exact_size
    longest = FORMATS[output.format].longest_side
    if max(size) > longest:
        raise ResultTooLarge(f"convert to {output.format}", str(SideTooLong(max(size), longest)))
    return size, exact


def check_step(operation: AnyOperation, size: Size, frames: int, limits: Limits) -> None:
    """Check the size of an operation's result.

    Raises:
        ResultTooLarge: It is above `limits`.
    """
    try:
        limits.check(*size, frames)
    except SourceFault as error:
        raise ResultTooLarge(name_of(operation), str(error)) from error


def _shrink(facts: Facts, fused: FusedHead) -> int:
    """Return the greatest shrink that leaves a JPEG large enough for the resampling."""
    scaling = fused.scaling
    if facts.format != "jpeg" or scaling is None or scaling.kernel == "nearest":
        return 1
    margins = _LARGE_MARGINS if facts.size[0] * facts.size[1] > LARGE_PIXELS else _MARGINS
    ratio = min(scaling.box.width / scaling.size[0], scaling.box.height / scaling.size[1])
    return next((shrink for shrink in _SHRINKS if shrink * margins[shrink] <= ratio + 1e-9), 1)


def _steps(fused: FusedHead, luma: bool, output: Output) -> tuple[Step, ...]:
    size = fused.size
    steps: list[Step] = []
    exact = True
    operations = fused.remaining(luma)
    for operation in operations:
        after = operation.result_size(size) if exact else size
        exact = exact and operation.exact_size
        if operation is operations[-1]:
            operation = _with_output_background(operation, output)
        steps.append(Step(operation=operation, before=size, after=after, exact=exact))
        size = after
    return tuple(steps)


def _with_output_background(operation: AnyOperation, output: Output) -> AnyOperation:
    """Give a last rotate the output's background, which saves flattening transparent corners when writing."""
    opaque = output.background[3] == 255 and not FORMATS[output.format].alpha
    if isinstance(operation, Rotate) and operation.background is None and opaque:
        return replace(operation, background="#" + bytes(output.background[:3]).hex())
    return operation


def _wxh(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
