"""Find truncated files in the formats whose Pillow decoders accept them silently."""

from mmap import ACCESS_READ, mmap
from pathlib import Path

from libs.imaging.containers import avif, gif, webp
from libs.imaging.errors import ImageTruncated
from libs.imaging.formats import FormatName
from libs.imaging.limits import Limits


def check_not_truncated(path: Path, name: FormatName, limits: Limits) -> None:
    """Refuse a GIF without its trailer, and a WebP or AVIF that is shorter than its header says.

    Raises:
        ImageTruncated: The file is truncated.
    """
    if name not in {"gif", "webp", "avif"}:
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        match name:
            case "gif":
                complete = gif.read_blocks(data, limits.max_frames).complete
            case "webp":
                complete = webp.is_complete(data)
            case _:
                complete = avif.is_complete(data)
    if not complete:
        raise ImageTruncated
