"""Mend files that Pillow refuses or misreads although all their pixels are there, as browsers do."""

from collections.abc import Callable
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path

from libs.imaging.containers import bmp, jpeg, webp
from libs.imaging.containers.shape import Buffer
from libs.imaging.formats import FormatName
from libs.imaging.samples.png_chunks import without_damaged_chunks

END_OF_JPEG = b"\xff\xd9"


def repaired(path: Path, name: FormatName) -> BytesIO | None:
    """Return the contents of a file with its faults mended; None if it has none that are known.

    Whether pixels are missing is not decided here, see `truncation`.

    Raises:
        SourceFault: The file is damaged in a way that is noticed on the way.
    """
    mend = _MENDERS.get(name)
    if mend is None:
        return None
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        mended = mend(data)
    return None if mended is None else BytesIO(mended)


def _jpeg(data: Buffer) -> bytes | None:
    """Add the marker of the end if it is missing; half of it may be there."""
    return bytes(data).rstrip(b"\xff") + END_OF_JPEG if jpeg.lacks_end(data) else None


def _webp(data: Buffer) -> bytes | None:
    """Remove metadata that is cut, and announce transparent pixels."""
    whole = webp.without_cut_metadata(data)
    if webp.lacks_alpha_flag(whole or data):
        return webp.with_alpha_flag(whole or bytes(data))
    return whole


def _bmp(data: Buffer) -> bytes | None:
    """Rearrange the channels, and pad the last row if its padding is missing."""
    from libs.imaging.samples.bmp_channels import with_standard_channels  # NumPy is for few files

    if mended := with_standard_channels(data):
        return mended
    bitmap = bmp.read_headers(data)
    missing = bitmap.pixels_at + bitmap.row_bytes * bitmap.height - len(data)
    padding = bitmap.row_bytes - (bitmap.width * bitmap.bits + 7) // 8
    return bytes(data) + bytes(missing) if not bitmap.compressed and 0 < missing <= padding else None


_MENDERS: dict[FormatName, Callable[[Buffer], bytes | None]] = {
    "jpeg": _jpeg,
    "png": without_damaged_chunks,
    "webp": _webp,
    "bmp": _bmp,
}
