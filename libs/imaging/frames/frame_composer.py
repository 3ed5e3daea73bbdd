"""Compose the frames of GIF and APNG as browsers do, from the rectangles that the file stores.

Pillow composes some wrongly: a GIF frame that is disposed to the background where palettes differ, and an
APNG frame that is disposed to the previous one, or blended with a transparent palette. So Pillow decodes each
rectangle as a still image, and this module does the rest.
"""

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from libs.imaging.compositing import drop_opaque_alpha, has_alpha
from libs.imaging.containers import apng, gif
from libs.imaging.containers.shape import Buffer
from libs.imaging.formats import FormatName
from libs.imaging.frames.frame_timing import shown_ms
from libs.imaging.geometry import Size
from libs.imaging.pillow_adapter import open_image, translated_errors
from libs.imaging.samples.pixel_modes import to_supported_mode


class Frame(NamedTuple):
    """One picture of an animation, or the only one of a still image."""

    image: Image.Image
    duration_ms: float


class Disposal(Enum):
    """What happens to a frame's rectangle when its time is over."""

    KEEP = auto()
    CLEAR = auto()  # it becomes transparent
    RESTORE = auto()  # it becomes what it was before the frame


class Patch(NamedTuple):
    """One frame as it is stored: a rectangle of the canvas."""

    image: Image.Image | None  # None if it has no area
    left: int
    top: int
    disposal: Disposal
    blends: bool  # over what is there; otherwise it replaces that
    duration_ms: float


_GIF_DISPOSALS = {2: Disposal.CLEAR, 3: Disposal.RESTORE, 4: Disposal.RESTORE}
"""GIF89a defines 0 to 3. Some encoders write 4 for 3, and browsers follow."""

_APNG_DISPOSALS = {1: Disposal.CLEAR, 2: Disposal.RESTORE}


class Composition(NamedTuple):
    """An animation that is composed here."""

    size: Size
    durations_ms: tuple[float, ...]
    uncovers: bool  # parts of the canvas may be clear, whatever the pixels of the frames are
    patches: Iterator[Patch]  # decoded as they are taken

    def frames(self) -> Iterator[Frame]:
        """Compose the frames one after another."""
        for image, patch in compose(self.patches, self.size):
            yield Frame(drop_opaque_alpha(image), patch.duration_ms)


def read_composition(path: Path, name: FormatName, max_frames: int) -> Composition | None:
    """Read a GIF, or a PNG that is animated; None for all other files.

    Raises:
        SourceFault: The file is damaged or truncated.
    """
    if name not in {"gif", "png"}:
        return None
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data, translated_errors():
        if name == "gif":
            return _gif(bytes(data), max_frames)
        animation = apng.read_animation(data)
        return _apng(bytes(data), animation) if animation else None


def decode_gif_frame(data: Buffer, frame: gif.StoredFrame) -> Image.Image | None:
    """Decode the rectangle of one GIF frame.

    Raises:
        ImageTruncated: Some of its pixels are missing.
    """
    if not frame.width or not frame.height:
        return None
    with open_image(BytesIO(gif.standalone(data, frame)), "gif") as image, translated_errors():
        image.load()
        return to_supported_mode(image)


def compose(patches: Iterator[Patch], size: Size) -> Iterator[tuple[Image.Image, Patch]]:
    """Draw one patch after another on a canvas of `size` that is transparent at first.

    The images are in mode LA if all patches are gray, else in RGBA; what lies outside the canvas is cut off.
    """
    canvas: Image.Image | None = None
    for patch in patches:
        if canvas is None:
            gray = patch.image is not None and patch.image.mode in {"L", "LA"}
            canvas = Image.new("LA" if gray else "RGBA", size)
        before = canvas.copy() if patch.disposal is Disposal.RESTORE else None
        if patch.image is not None:
            _draw(canvas, patch.image, patch)
        yield canvas.copy(), patch
        if before is not None:
            canvas = before
        elif patch.disposal is Disposal.CLEAR and patch.image is not None:
            canvas.paste((0,) * len(canvas.getbands()), _box(patch.image, patch))


def _draw(canvas: Image.Image, image: Image.Image, patch: Patch) -> None:
    pixels = image.convert(canvas.mode)
    if patch.blends and has_alpha(image):
        pixels = Image.alpha_composite(canvas.crop(_box(image, patch)), pixels)
    canvas.paste(pixels, (patch.left, patch.top))


def _box(image: Image.Image, patch: Patch) -> tuple[int, int, int, int]:
    return patch.left, patch.top, patch.left + image.width, patch.top + image.height


def _gif(data: bytes, max_frames: int) -> Composition:
    blocks = gif.read_blocks(data, max_frames)
    durations_ms = tuple(shown_ms("gif", frame.delay_cs * 10) for frame in blocks.frames)

    def patches() -> Iterator[Patch]:
        for frame, duration_ms in zip(blocks.frames, durations_ms, strict=True):
            image = decode_gif_frame(data, frame)
            disposal = _GIF_DISPOSALS.get(frame.disposal, Disposal.KEEP)
            if image is not None:  # colours may follow a first frame in gray
                image = image.convert("RGBA" if has_alpha(image) else "RGB")
            yield Patch(image, frame.left, frame.top, disposal, blends=True, duration_ms=duration_ms)

    disposals = [_GIF_DISPOSALS.get(frame.disposal, Disposal.KEEP) for frame in blocks.frames]
    size = blocks.shape[:2]
    clear = any(frame.transparent is not None for frame in blocks.frames)
    uncovers = clear or not blocks.frames or _uncovers(blocks.frames[0][:4], size, disposals)
    return Composition(size, durations_ms, uncovers, patches())


def _apng(data: bytes, animation: apng.Animation) -> Composition:
    durations_ms = tuple(shown_ms("png", frame.delay_ms) for frame in animation.frames)

    def patches() -> Iterator[Patch]:
        for frame, duration_ms in zip(animation.frames, durations_ms, strict=True):
            disposal = _APNG_DISPOSALS.get(frame.disposal, Disposal.KEEP)
            blends = frame.blend == 1
            with (
                open_image(BytesIO(apng.standalone(data, animation, frame)), "png") as image,
                translated_errors(),
            ):
                image.load()
                pixels = to_supported_mode(image)
            yield Patch(pixels, frame.left, frame.top, disposal, blends=blends, duration_ms=duration_ms)

    disposals = [_APNG_DISPOSALS.get(frame.disposal, Disposal.KEEP) for frame in animation.frames]
    uncovers = _uncovers(animation.frames[0][:4], animation.size, disposals)
    return Composition(animation.size, durations_ms, uncovers, patches())


def _uncovers(first_box: tuple[int, int, int, int], size: Size, disposals: Sequence[Disposal]) -> bool:
    """Return whether parts of the canvas are clear at some time although all frames are opaque."""
    if first_box != (0, 0, *size):
        return True
    restores_nothing = len(disposals) > 1 and disposals[0] is Disposal.RESTORE
    return restores_nothing or Disposal.CLEAR in disposals[:-1]
