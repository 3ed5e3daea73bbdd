"""Whether a file has been cut, for the formats whose decoders would not say so."""

from mmap import ACCESS_READ, mmap
from pathlib import Path

from libs.imaging.containers import avif, gif, webp
from libs.imaging.errors import ImageTruncated
from libs.imaging.formats import FormatName
from libs.imaging.limits import Limits


def require_whole(path: Path, name: FormatName, limits: Limits) -> None:
    """Refuse a GIF without its trailer, and a WebP or AVIF shorter than it says.

    Raises:
        ImageTruncated: The file has been cut.
    """
    if name not in {"gif", "webp", "avif"}:
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        match name:
            case "gif":
                whole = gif.walk(data, limits.max_frames).whole
            case "webp":
                whole = webp.is_whole(data)
            case _:
                whole = avif.is_whole(data)
    if not whole:
        raise ImageTruncated
