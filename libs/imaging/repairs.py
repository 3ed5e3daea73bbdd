"""Mend files that Pillow refuses or misreads although all their pixels are there, as browsers do."""

from collections.abc import Callable
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path

from libs.imaging.containers import webp
from libs.imaging.containers.shape import Buffer
from libs.imaging.formats import FormatName


def repaired(path: Path, name: FormatName) -> BytesIO | None:
    """Return the contents of a file with its faults mended; None if it has none that are known.

    Raises:
        UnreadableImage: It has more chunks than any real file.
    """
    mend = _MENDERS.get(name)
    if mend is None:
        return None
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        mended = mend(data)
    return None if mended is None else BytesIO(mended)


def _webp(data: Buffer) -> bytes | None:
    return webp.with_alpha_flag(bytes(data)) if webp.lacks_alpha_flag(data) else None


_MENDERS: dict[FormatName, Callable[[Buffer], bytes | None]] = {"webp": _webp}
