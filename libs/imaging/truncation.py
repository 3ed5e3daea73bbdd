"""Find truncated files in the formats whose Pillow decoders accept them silently."""

import random
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path

from PIL import Image

from libs.imaging.containers import avif, gif, heif, jpeg, jxl, webp
from libs.imaging.errors import ImageTruncated, SourceFault
from libs.imaging.formats import FormatName
from libs.imaging.frames.frame_composer import decode_gif_frame
from libs.imaging.limits import Limits
from libs.imaging.pillow_adapter import open_image, translated_errors
from libs.imaging.repairs import END_OF_JPEG

_TRIALS = 4
_NOISE_BYTES = 2048


def check_not_truncated(path: Path, name: FormatName, limits: Limits) -> None:
    """Refuse a file that lacks pixels: image data that ends too early, or a frame or scan that is missing.

    A file that lacks anything else is accepted: a GIF without its trailer, a JPEG without the marker of its
    end, a WebP whose metadata is cut.

    Raises:
        ImageTruncated: The file is truncated.
    """
    if name not in {"gif", "webp", "avif", "jpeg", "heic", "jxl"}:
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data, translated_errors():
        match name:
            case "gif":
                complete = _has_all_frames(data, limits)
            case "webp":
                complete = webp.is_complete(data) or webp.without_cut_metadata(data) is not None
            case "jpeg":
                complete = not jpeg.lacks_end(data) or _has_all_blocks(bytes(data))
            case "heic":
                complete = heif.is_complete(data)
            case "jxl":
                complete = jxl.is_complete(data)
            case _:
                complete = avif.is_complete(data)
    if not complete:
        raise ImageTruncated


def _has_all_frames(data: mmap, limits: Limits) -> bool:
    """Return whether all pixels of a GIF are there; its trailer may be missing.

    The last frame is decoded if the file ends within its data.
    """
    blocks = gif.read_blocks(data, limits.max_frames)
    if not blocks.frames or blocks.ending is gif.Ending.IN_FRAME:
        return False
    if blocks.ending is gif.Ending.IN_PIXELS:
        decode_gif_frame(data, blocks.frames[-1])
    return True


def _has_all_blocks(data: bytes) -> bool:
    """Return whether all pixels of a JPEG are there whose end is missing.

    libjpeg fills in what is missing without an error. So noise is put in the place of the end: it changes the
    picture unless the decoder has all blocks before it gets there.
    """
    if not jpeg.has_all_scans(data):
        return False
    data = data.rstrip(b"\xff")
    try:
        picture = _decode_jpeg(data + END_OF_JPEG)
        return all(_decode_jpeg(data + _noise(trial) + END_OF_JPEG) == picture for trial in range(_TRIALS))
    except SourceFault:
        return False


def _noise(trial: int) -> bytes:
    """Return coded data: random bytes without markers, then the same after each restart marker.

    Each trial begins with another one, because libjpeg skips an interval whose marker is one of the next two.
    """
    source = random.Random(trial)  # noqa: S311 - the same noise every time is wanted
    noise = bytes(source.randrange(0xFF) for _ in range(_NOISE_BYTES))
    markers = (0xD0 + (2 * trial + number) % 8 for number in range(8))
    return noise + b"".join(bytes([0xFF, marker]) + noise for marker in markers)


def _decode_jpeg(data: bytes) -> Image.Image:
    with open_image(BytesIO(data), "jpeg") as image, translated_errors():
        image.load()
        return image
