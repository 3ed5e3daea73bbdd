"""Running operations over a file."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from PIL.Image import Image
from PIL.ImageFile import ImageFile

from libs.imaging.errors import AssetMissing, AssetUnreadable, OutOfMemory, SourceFault
from libs.imaging.formats import FormatName
from libs.imaging.frame_decoder import Frame, Source, read_facts
from libs.imaging.frame_encoder import write
from libs.imaging.header import Header, read_header
from libs.imaging.limits import Limits
from libs.imaging.metadata_copy import read_extras
from libs.imaging.metadata_strip import copy_without_metadata
from libs.imaging.operations import AnyOperation, Frames
from libs.imaging.operations.operation import Surroundings
from libs.imaging.pillow_adapter import decoding, opened
from libs.imaging.plan import Plan, check_step, make_plan
from libs.imaging.truncation import require_whole


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


def render(
    source: Path,
    target: Path,
    operations: Sequence[AnyOperation],
    limits: Limits,
    *,
    assets: Mapping[str, Path] | None = None,
) -> Rendered:
    """Turn `source` upright, run `operations` in order, and write the result to `target`.

    Without a `convert` or `compress` the format stays. Unless `metadata` says otherwise none is kept, and
    colours become sRGB. Animations keep frames, timing and loop where the result's format can hold them,
    else the first frame is taken. Sizes are checked for every step before any pixel is decoded.

    Args:
        source: Any accepted file; its name plays no part.
        target: Where the result goes; it is overwritten.
        operations: May be empty.
        limits: Hold for the source, every step, and every asset.
        assets: The files behind the names that a watermark's `asset` gives.

    Raises:
        SourceFault: The source is no accepted image, damaged, or beyond `limits`.
        OperationFault: An operation does not fit the image, or its result goes beyond `limits`.
        OutOfMemory: The work does not fit into memory.
    """
    try:
        return _render(source, target, operations, limits, assets or {})
    except MemoryError as error:
        raise OutOfMemory from error


def explain(source: Path, operations: Sequence[AnyOperation], limits: Limits) -> Plan:
    """Give the plan that `render` would follow; no pixel is decoded.

    Raises:
        SourceFault: The source's header is at fault.
        OperationFault: An operation does not fit the image, or its result goes beyond `limits`.
    """
    header = read_header(source, limits)
    with opened(source, header.format) as image:
        return _plan(image, header, operations, limits)


def _render(
    source: Path, target: Path, operations: Sequence[AnyOperation], limits: Limits, assets: Mapping[str, Path]
) -> Rendered:
    header = read_header(source, limits)
    require_whole(source, header.format, limits)
    with opened(source, header.format) as image:
        plan = _plan(image, header, operations, limits)
        reader = Source(image, plan)
        extras = read_extras(image, plan.output, reader.profile)
        frames = _run(reader, plan, limits, assets)
    write(frames, reader.plays, target, plan.output, extras)
    if plan.reencodes and target.stat().st_size >= source.stat().st_size:
        copy_without_metadata(source, target, plan)
    return _rendered(target, limits)


def _plan(image: ImageFile, header: Header, operations: Sequence[AnyOperation], limits: Limits) -> Plan:
    page = next((step.frame for step in reversed(operations) if isinstance(step, Frames)), None)
    if page and header.format == "tiff" and page < header.frames:  # every page has a size of its own
        with decoding():
            image.seek(page)
        limits.check(*image.size)
    return make_plan(read_facts(image, header), operations, limits)


def _run(source: Source, plan: Plan, limits: Limits, assets: Mapping[str, Path]) -> list[Frame]:
    """Do to every frame what the plan leaves to be done after decoding."""
    frames = list(source.frames())
    images = [frame.image for frame in frames]
    durations_ms = [frame.duration_ms for frame in frames]
    del frames  # or the pixels of every step would be held until the last
    if plan.scaling:
        images = [plan.scaling.finish(image) for image in images]
    surroundings = Surroundings(load=lambda name: _load(name, assets, limits))
    for step in plan.steps:
        check_step(step.operation, step.operation.result_size(images[0].size), len(images), limits)
        change = step.operation.prepare(images, surroundings)
        for number, image in enumerate(images):
            images[number] = change(image)
            del image
    return [Frame(*pair) for pair in zip(images, durations_ms, strict=True)]


def first_frame(path: Path, limits: Limits) -> Image:
    """Decode the first frame of a file, upright and in sRGB.

    Raises:
        SourceFault: It is no accepted image, damaged, or beyond `limits`.
    """
    header = read_header(path, limits)
    require_whole(path, header.format, limits)
    with opened(path, header.format) as image:
        facts = read_facts(image, header)
        return next(Source(image, make_plan(facts, [Frames(frame=0)], limits)).frames()).image


def _load(name: str, assets: Mapping[str, Path], limits: Limits) -> Image:
    if name not in assets:
        raise AssetMissing(name)
    try:
        return first_frame(assets[name], limits)
    except SourceFault as error:
        raise AssetUnreadable(name.partition(":")[2], str(error)) from error


def _rendered(target: Path, limits: Limits) -> Rendered:
    size_bytes = target.stat().st_size
    header = read_header(target, replace(limits, max_bytes=size_bytes))
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return Rendered(
        format=header.format,
        mime=header.mime,
        extension=header.extension,
        width=header.width,
        height=header.height,
        frames=header.frames,
        size_bytes=size_bytes,
        md5=digest.hexdigest(),
    )
