"""Find truncated files in the formats whose Pillow decoders accept them silently."""

from mmap import ACCESS_READ, mmap
from pathlib import Path

from libs.imaging.containers import avif, gif, webp
from libs.imaging.errors import ImageTruncated
from libs.imaging.formats import FormatName
from libs.imaging.frame_composer import decode_gif_frame
from libs.imaging.limits import Limits


def check_not_truncated(path: Path, name: FormatName, limits: Limits) -> None:
    """Refuse a GIF that ends within a frame, and a WebP or AVIF that is shorter than its header says.

    Raises:
        ImageTruncated: The file is truncated.
    """
    if name not in {"gif", "webp", "avif"}:
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        match name:
            case "gif":
                complete = _has_all_frames(data, limits)
            case "webp":
                complete = webp.is_complete(data)
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
