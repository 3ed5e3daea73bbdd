"""Image files that are sent to an image-editing model, and files that come back from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from PIL import Image

from libs.imaging.complete_file import CompleteFile
from libs.imaging.compositing import has_alpha
from libs.imaging.errors import AssetUnreadable, MaskWithoutHole, SourceFault
from libs.imaging.geometry import Size
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.mask_feather import lay_back
from libs.imaging.memory_errors import memory_errors
from libs.imaging.operations import AnyOperation, Convert, Crop, Frames, Resize
from libs.imaging.pillow_adapter import open_image, translated_errors
from libs.imaging.pipeline import first_frame, render
from libs.imaging.render_and_describe import DescribedResult, render_and_describe
from libs.imaging.resampling import scale

JPEG_QUALITY = 95  # of an opaque picture that is sent
SHRINK_FACTOR = 0.75  # applied to the longest side as long as the file is too large
MIN_EDGE = 64  # pixels of the longest side; shrinking stops here
_THRESHOLD = [0] * 128 + [255] * 128  # a lookup table that makes alpha 0 or 255
_HOLE = [255] * 128 + [0] * 128  # its inverse: 255 where the picture is edited

MaskStyle: TypeAlias = Literal["transparent", "white"]
"""How a mask marks what is edited: by transparent pixels, or by white ones in a grey image."""


class InputRequirements(Struct, frozen=True, kw_only=True):
    """What a model accepts as its input picture."""

    square: bool  # a square PNG with an alpha channel
    max_bytes: int
    max_edge: int  # longest side in pixels
    mask_style: MaskStyle = "transparent"


class Window(Struct, frozen=True):
    """Where a picture lies within a square, in fractions of the square's side."""

    left: float
    top: float
    right: float
    bottom: float

    def crop(self, size: Size) -> Crop:
        """Return the crop of this window from an image of `size`."""
        left, right = round(self.left * size[0]), round(self.right * size[0])
        top, bottom = round(self.top * size[1]), round(self.bottom * size[1])
        return Crop(x=left, y=top, width=max(1, right - left), height=max(1, bottom - top))


class MaskedSource(Struct, frozen=True, kw_only=True):
    """What of the source must stay: two PNG files of the same size."""

    picture: Path  # upright and in sRGB, not scaled
    hole: Path  # 255 where the picture is edited, 0 elsewhere


class Prepared(Struct, frozen=True, kw_only=True):
    """The files to send, and what is needed to finish the answer."""

    picture: Path
    filename: str
    mime: str
    mask: Path | None
    window: Window | None  # where the picture lies within the square it was padded to
    masked: MaskedSource | None  # None without a mask


def prepare(
    source: Path, mask: Path | None, folder: Path, requirements: InputRequirements, limits: Limits
) -> Prepared:
    """Write the source's first frame into `folder`, upright, in sRGB and without metadata.

    The picture becomes a PNG if any pixel is transparent, otherwise a JPEG. Its sides are reduced until the
    file is below `max_bytes`. The mask becomes a PNG of the same size with every pixel either in the hole or
    not.

    Raises:
        SourceFault: The source is not an accepted image, is damaged, or is above `limits`.
        AssetUnreadable: The mask is not an accepted image, is damaged, or is above `limits`.
        MaskWithoutHole: The mask has no transparent pixels.
        OutOfMemory: The work does not fit into memory.
    """
    with memory_errors():
        mask_alpha = None if mask is None else _mask_alpha(mask, limits)
        edge = requirements.max_edge
        masked = None if mask_alpha is None else _keep_source(source, mask_alpha, folder, limits)
        while True:
            prepared = _prepare(source, mask_alpha, folder, requirements, limits, edge)
            prepared = replace(prepared, masked=masked)
            if prepared.picture.stat().st_size < requirements.max_bytes or edge <= MIN_EDGE:
                return prepared
            edge = max(MIN_EDGE, int(edge * SHRINK_FACTOR))


def finish(
    answer: Path,
    target: Path,
    operations: Sequence[AnyOperation],
    limits: Limits,
    *,
    prepared: Prepared | None,
    assets: Mapping[str, Path],
) -> DescribedResult:
    """Run `operations` over a model's answer and describe the result.

    If the picture was padded to a square, the padding is cut off first. If there was a mask, the answer is
    then laid back into the source, whatever the model did outside the hole: see `lay_back`.

    Raises:
        SourceFault: The answer is not an accepted image, is damaged, or is above `limits`.
        OperationFault: An operation cannot be applied to it.
        OutOfMemory: The work does not fit into memory.
    """
    steps = list(operations)
    if prepared is not None and prepared.masked is not None:
        answer = _laid_back(answer, prepared.masked, prepared.window, limits)
        size_bytes = answer.stat().st_size  # of a file of our own
        limits = replace(limits, max_bytes=max(limits.max_bytes, size_bytes))
    elif prepared is not None and prepared.window is not None:
        header = read_header(answer, limits)
        steps.insert(0, prepared.window.crop((header.width, header.height)))
    return render_and_describe(answer, target, steps, limits, assets=assets)


def _laid_back(answer: Path, masked: MaskedSource, window: Window | None, limits: Limits) -> Path:
    """Write the source with the answer in its hole, beside the answer."""
    path = answer.with_name(answer.name + "-laid-back")
    with memory_errors():
        edited = first_frame(answer, limits)
        if window is not None:
            edited = window.crop(edited.size).apply(edited)
        with open_image(masked.picture, "png") as picture, open_image(masked.hole, "png") as hole:
            _write_png(lay_back(picture, edited, hole), path)
    return path


def _keep_source(source: Path, mask_alpha: Image.Image, folder: Path, limits: Limits) -> MaskedSource:
    """Store what `finish` needs, because the source may be deleted while the model works."""
    masked = MaskedSource(picture=folder / "source", hole=folder / "hole")
    picture = first_frame(source, limits)
    _write_png(picture, masked.picture)
    _write_png(_scaled(mask_alpha, picture.size).point(_HOLE), masked.hole)
    return masked


def _write_png(image: Image.Image, path: Path) -> None:
    with CompleteFile(path) as file:
        image.save(file, format="PNG", compress_level=1)  # a temporary file


def _scaled(mask_alpha: Image.Image, size: Size) -> Image.Image:
    return scale(mask_alpha, size, "bilinear")


def _prepare(
    source: Path,
    mask_alpha: Image.Image | None,
    folder: Path,
    requirements: InputRequirements,
    limits: Limits,
    edge: int,
) -> Prepared:
    path = folder / "picture"
    square = requirements.square
    output = (
        Convert(format="png")
        if square
        else Convert(format="auto", accept=("jpeg", "png"), quality=JPEG_QUALITY)
    )
    steps = (Frames(frame=0), Resize(width=edge, height=edge), output)
    rendered = render(source, path, steps, limits)
    size = (rendered.width, rendered.height)
    return Prepared(
        picture=path,
        filename=f"image.{rendered.extension}",
        mime=rendered.mime,
        window=_pad_to_square(path, size) if square else None,
        mask=None if mask_alpha is None else _write_mask(mask_alpha, size, folder / "mask", requirements),
        masked=None,
    )


def _pad_to_square(path: Path, size: Size) -> Window:
    """Pad the picture with opaque bars, because a model edits transparent pixels."""
    with open_image(path, "png") as image, translated_errors():
        pixels = image.convert("RGBA")
    side = max(size)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    canvas = Image.new("RGBA", (side, side), (0, 0, 0, 255))
    canvas.paste(pixels, (left, top))
    canvas.save(path, format="PNG")
    return Window(left / side, top / side, (left + size[0]) / side, (top + size[1]) / side)


def _mask_alpha(mask: Path, limits: Limits) -> Image.Image:
    """Decode a mask and return its alpha channel."""
    try:
        image = first_frame(mask, limits)
    except SourceFault as error:
        raise AssetUnreadable("mask", str(error)) from error
    if not has_alpha(image) or image.getchannel("A").point(_THRESHOLD).getextrema()[0] == 255:
        raise MaskWithoutHole
    return image.getchannel("A")


def _write_mask(mask_alpha: Image.Image, size: Size, path: Path, requirements: InputRequirements) -> Path:
    alpha = _scaled(mask_alpha, size).point(_THRESHOLD)
    side = max(size)
    square = requirements.square
    canvas = Image.new("L", (side, side) if square else size, 255)
    canvas.paste(alpha, ((side - size[0]) // 2, (side - size[1]) // 2) if square else (0, 0))
    if requirements.mask_style == "white":
        picture = canvas.point(_HOLE)
    else:
        picture = Image.new("RGBA", canvas.size, (0, 0, 0, 255))
        picture.putalpha(canvas)
    picture.save(path, format="PNG")
    return path
