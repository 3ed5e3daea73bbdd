"""Pictures on their way to a model that edits them, and back."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from PIL import Image

from libs.imaging.compositing import has_alpha
from libs.imaging.describe import Description, describe
from libs.imaging.errors import AssetUnreadable, MaskWithoutHole, OutOfMemory, SourceFault
from libs.imaging.geometry import Size
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation, Convert, Crop, Frames, Resize
from libs.imaging.pillow_adapter import decoding, opened
from libs.imaging.pipeline import Rendered, first_frame, render

JPEG_QUALITY = 95  # of an opaque picture that is sent
SMALLER = 0.75  # what the longest side is tried with next, while the file has too many bytes
SMALLEST_EDGE = 64
_HARD = [0] * 128 + [255] * 128


class Demands(Struct, frozen=True, kw_only=True):
    """What a model wants of a picture."""

    square: bool  # and a PNG with an alpha channel
    max_bytes: int
    max_edge: int  # in pixels


class Window(Struct, frozen=True):
    """Where a picture lies within a square, in fractions of its side."""

    left: float
    top: float
    right: float
    bottom: float

    def crop(self, size: Size) -> Crop:
        """The same place within an image of `size`."""
        left, right = round(self.left * size[0]), round(self.right * size[0])
        top, bottom = round(self.top * size[1]), round(self.bottom * size[1])
        return Crop(x=left, y=top, width=max(1, right - left), height=max(1, bottom - top))


class Prepared(Struct, frozen=True, kw_only=True):
    """Files to send."""

    picture: Path
    filename: str
    mime: str
    mask: Path | None
    window: Window | None  # where the picture lies in the square that was made of it


class Finished(Struct, frozen=True, kw_only=True):
    """A file that a model's answer was made into."""

    rendered: Rendered
    description: Description


def prepare(source: Path, mask: Path | None, folder: Path, demands: Demands, limits: Limits) -> Prepared:
    """Write the source's first frame into `folder`: upright, sRGB, without metadata, within `demands`.

    It becomes a PNG if anything is clear, else a JPEG. The mask becomes a PNG of its size in which every
    pixel is clear or opaque.

    Raises:
        SourceFault: The source is no accepted image, damaged, or beyond `limits`.
        AssetUnreadable: The mask is.
        MaskWithoutHole: The mask is clear nowhere.
        OutOfMemory: The work does not fit into memory.
    """
    try:
        hole = None if mask is None else _hole(mask, limits)
        edge = demands.max_edge
        while True:
            prepared = _prepare(source, hole, folder, demands, limits, edge)
            if prepared.picture.stat().st_size < demands.max_bytes or edge <= SMALLEST_EDGE:
                return prepared
            edge = max(SMALLEST_EDGE, int(edge * SMALLER))
    except MemoryError as error:
        raise OutOfMemory from error


def finish(
    answer: Path,
    target: Path,
    operations: Sequence[AnyOperation],
    limits: Limits,
    *,
    window: Window | None,
    assets: Mapping[str, Path],
) -> Finished:
    """Run `operations` over a model's answer, cut out of its square if it was put into one.

    Raises:
        SourceFault: The answer is no accepted image, damaged, or beyond `limits`.
        OperationFault: An operation does not fit it.
        OutOfMemory: The work does not fit into memory.
    """
    steps = list(operations)
    if window is not None:
        header = read_header(answer, limits)
        steps.insert(0, window.crop((header.width, header.height)))
    rendered = render(answer, target, steps, limits, assets=assets)
    return Finished(rendered=rendered, description=describe(target, limits))


def _prepare(
    source: Path, hole: Image.Image | None, folder: Path, demands: Demands, limits: Limits, edge: int
) -> Prepared:
    path = folder / "picture"
    output = (
        Convert(format="png")
        if demands.square
        else Convert(format="auto", accept=("jpeg", "png"), quality=JPEG_QUALITY)
    )
    steps = (Frames(frame=0), Resize(width=edge, height=edge), output)
    rendered = render(source, path, steps, limits)
    size, window = (rendered.width, rendered.height), None
    if demands.square:
        window = _make_square(path, size)
    return Prepared(
        picture=path,
        filename=f"image.{rendered.extension}",
        mime=rendered.mime,
        mask=None if hole is None else _write_mask(hole, size, folder / "mask", square=demands.square),
        window=window,
    )


def _make_square(path: Path, size: Size) -> Window:
    """Lay the picture onto opaque bars: what is clear would be taken for a hole."""
    with opened(path, "png") as image, decoding():
        pixels = image.convert("RGBA")
    side = max(size)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    canvas = Image.new("RGBA", (side, side), (0, 0, 0, 255))
    canvas.paste(pixels, (left, top))
    canvas.save(path, format="PNG")
    return Window(left / side, top / side, (left + size[0]) / side, (top + size[1]) / side)


def _hole(mask: Path, limits: Limits) -> Image.Image:
    """Give the mask's alpha channel."""
    try:
        image = first_frame(mask, limits)
    except SourceFault as error:
        raise AssetUnreadable("mask", str(error)) from error
    if not has_alpha(image) or image.getchannel("A").point(_HARD).getextrema()[0] == 255:
        raise MaskWithoutHole
    return image.getchannel("A")


def _write_mask(hole: Image.Image, size: Size, path: Path, *, square: bool) -> Path:
    alpha = hole.resize(size, Image.Resampling.BILINEAR).point(_HARD)
    side = max(size)
    canvas = Image.new("L", (side, side) if square else size, 255)
    canvas.paste(alpha, ((side - size[0]) // 2, (side - size[1]) // 2) if square else (0, 0))
    picture = Image.new("RGBA", canvas.size, (0, 0, 0, 255))
    picture.putalpha(canvas)
    picture.save(path, format="PNG")
    return path
