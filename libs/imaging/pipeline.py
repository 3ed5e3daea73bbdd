"""Run a pipeline of operations over a file."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from PIL.Image import Image
from PIL.ImageFile import ImageFile

from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.errors import AssetMissing, AssetUnreadable, FontUnavailable, SourceFault
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.frames.frame_composer import Frame
from libs.imaging.frames.frame_decoder import FrameDecoder, read_facts
from libs.imaging.frames.frame_encoder import write
from libs.imaging.header import Header, read_header
from libs.imaging.limits import Limits
from libs.imaging.memory_errors import memory_errors
from libs.imaging.metadata.metadata_copy import read_metadata
from libs.imaging.metadata.metadata_strip import copy_without_metadata
from libs.imaging.operations import AnyOperation, Frames
from libs.imaging.operations.operation import name_of
from libs.imaging.pillow_adapter import open_image, translated_errors
from libs.imaging.plan import Plan, check_step, make_plan
from libs.imaging.step_times import timed
from libs.imaging.truncation import check_not_truncated


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

    The format stays unless `convert` or `compress` changes it; a HEIC becomes a JPEG, or a PNG if it has
    transparency. Metadata is removed and colours become sRGB
    unless `metadata` says otherwise. An animation keeps its frames, timing and loop if the result's format
    supports them; otherwise the first frame is used. Sizes are checked before any pixel is decoded, except
    those that depend on pixels.

    Args:
        source: An accepted file; its name does not matter.
        target: The file to write; it is overwritten.
        operations: May be empty.
        limits: Apply to the source, the result of every operation, and every asset.
        assets: Files by the names that a watermark's `asset` returns, and fonts by `font:` and their names.

    Raises:
        SourceFault: The source is not an accepted image, is damaged, or is above `limits`.
        OperationFault: An operation cannot be applied to the image, or its result is above `limits`.
        OutOfMemory: The work does not fit into memory.
    """
    with memory_errors():
        return _render(source, target, operations, limits, assets or {})


def explain(source: Path, operations: Sequence[AnyOperation], limits: Limits) -> Plan:
    """Return the plan that `render` would follow, without decoding.

    Raises:
        SourceFault: The source is not an accepted image, or its header is damaged or above `limits`.
        OperationFault: An operation cannot be applied to the image, or its result is above `limits`.
    """
    header = read_header(source, limits)
    with open_image(source, header.format) as image:
        return _plan(image, header, operations, limits)


def _render(
    source: Path, target: Path, operations: Sequence[AnyOperation], limits: Limits, assets: Mapping[str, Path]
) -> Rendered:
    header = read_header(source, limits)
    check_not_truncated(source, header.format, limits)
    with open_image(source, header.format) as image:
        plan = _plan(image, header, operations, limits)
        decoder = FrameDecoder(image, plan, source, limits.cmyk_profile)
        kept = decoder.kept_colours
        metadata = read_metadata(image, source, plan, operations, kept)
        frames = _run(decoder, plan, limits, assets)
    colours = kept if isinstance(kept, ColourSpace) else None
    with timed("encode"):
        write(frames, decoder.plays, target, plan.output, metadata, colours)
    if plan.only_compresses and target.stat().st_size >= source.stat().st_size:
        copy_without_metadata(source, target, plan)
    return _describe_result(target, limits)


def _plan(image: ImageFile, header: Header, operations: Sequence[AnyOperation], limits: Limits) -> Plan:
    page = next((step.frame for step in reversed(operations) if isinstance(step, Frames)), None)
    if page and FORMATS[header.format].pages and page < header.frames:  # each page has its own size
        with translated_errors():
            image.seek(page)
        limits.check(*image.size)
    return make_plan(read_facts(image, header), operations, limits)


def _run(decoder: FrameDecoder, plan: Plan, limits: Limits, assets: Mapping[str, Path]) -> list[Frame]:
    """Decode all frames and run the plan's steps over them."""
    with timed("decode"):
        frames = list(decoder.frames())
    images = [frame.image for frame in frames]
    durations_ms = [frame.duration_ms for frame in frames]
    del frames  # or the pixels before the first step stay in memory
    if plan.scaling:
        with timed("resize"):
            images = [plan.scaling.finish(image) for image in images]
    for step in plan.steps:
        check_step(step.operation, step.operation.result_size(images[0].size), len(images), limits)
        with timed(name_of(step.operation)):
            function = step.operation.prepare(images, _Assets(assets, limits))
            for number, image in enumerate(images):
                images[number] = function(image)
                del image  # or the pixels before this step stay in memory
    return [Frame(*pair) for pair in zip(images, durations_ms, strict=True)]


def first_frame(path: Path, limits: Limits) -> Image:
    """Decode the first frame of a file, upright and in sRGB.

    Raises:
        SourceFault: The file is not an accepted image, is damaged, or is above `limits`.
    """
    header = read_header(path, limits)
    check_not_truncated(path, header.format, limits)
    with open_image(path, header.format) as image:
        plan = make_plan(read_facts(image, header), [Frames(frame=0)], limits)
        return next(FrameDecoder(image, plan, path, limits.cmyk_profile).frames()).image


class _Assets:
    """The other files that operations need."""

    def __init__(self, files: Mapping[str, Path], limits: Limits) -> None:
        self._files = files
        self._limits = limits

    def __call__(self, name: str, /) -> Image:
        if name not in self._files:
            raise AssetMissing(name)
        try:
            return first_frame(self._files[name], self._limits)
        except SourceFault as error:
            raise AssetUnreadable(name.partition(":")[2], str(error)) from error

    def font(self, name: str, /) -> Path:
        if f"font:{name}" not in self._files:
            raise FontUnavailable(name)
        return self._files[f"font:{name}"]


def _describe_result(target: Path, limits: Limits) -> Rendered:
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
