"""Running operations over a file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from libs.imaging.errors import OutOfMemory, ResultTooLarge, SideTooLong, SourceFault
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.geometry import Size
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.opening import opened
from libs.imaging.operations import AnyOperation, Resize
from libs.imaging.operations.operation import Output
from libs.imaging.reading import Frame, Source
from libs.imaging.whole import require_whole
from libs.imaging.writing import write


class Rendered(Struct, frozen=True, kw_only=True):
    """The file that was written."""

    format: FormatName
    mime: str
    extension: str  # without the dot
    width: int
    height: int
    frames: int
    size_bytes: int
    md5: str  # hexadecimal


def render(source: Path, target: Path, operations: Sequence[AnyOperation], limits: Limits) -> Rendered:
    """Turn `source` upright, run `operations` in order, and write the result to `target`.

    Without a `convert` or `compress` the format stays. No metadata is kept; colours become sRGB.
    Animations keep frames, timing and loop where the result's format can hold them, else the first
    frame is taken. Sizes are checked for every step before any pixel is decoded.

    Raises:
        SourceFault: The source is no accepted image, damaged, or beyond `limits`.
        OperationFault: An operation does not fit the image, or its result goes beyond `limits`.
        OutOfMemory: The work does not fit into memory.
    """
    try:
        return _render(source, target, operations, limits)
    except MemoryError as error:
        raise OutOfMemory from error


def _render(source: Path, target: Path, operations: Sequence[AnyOperation], limits: Limits) -> Rendered:
    header = read_header(source, limits)
    require_whole(source, header.format, limits)
    output = Output(format=header.format)
    for operation in operations:
        output = operation.settle(output)
    animated = FORMATS[header.format].animation and FORMATS[output.format].animation
    count = header.frames if animated else 1
    with opened(source, header.format) as image:
        opened_source = Source(image, header.format)
        _check_sizes(opened_source.size, count, operations, output, limits)
        frames = _run(opened_source, count, operations)
    write(frames, opened_source.plays, target, output)
    return _rendered(target, limits)


def _check_sizes(
    size: Size, frames: int, operations: Sequence[AnyOperation], output: Output, limits: Limits
) -> None:
    for operation in operations:
        size = operation.result_size(size)
        try:
            limits.check(*size, frames)
        except SourceFault as error:
            raise ResultTooLarge(str(type(operation).__struct_config__.tag), str(error)) from error
    longest = FORMATS[output.format].longest_side
    if max(size) > longest:
        raise ResultTooLarge(f"convert to {output.format}", str(SideTooLong(max(size), longest)))


def _run(source: Source, count: int, operations: Sequence[AnyOperation]) -> list[Frame]:
    """Work frame by frame; a resize that comes first is done while decoding, where it costs least."""
    first = operations[0] if operations else None
    scaling = first.plan(source.size) if isinstance(first, Resize) else None
    rest = operations[1:] if scaling else operations
    frames: list[Frame] = []
    for frame in source.frames(count, scaling):
        image = scaling.finish(frame.image) if scaling else frame.image
        for operation in rest:
            image = operation.apply(image)
        frames.append(frame._replace(image=image))
    return frames


def _rendered(target: Path, limits: Limits) -> Rendered:
    header = read_header(target, limits)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return Rendered(
        format=header.format,
        mime=header.mime,
        extension=header.extension,
        width=header.width,
        height=header.height,
        frames=header.frames,
        size_bytes=target.stat().st_size,
        md5=digest.hexdigest(),
    )
