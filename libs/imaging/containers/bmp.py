"""BMP: the file header and the bitmap header that follows it (Microsoft, Bitmap Storage)."""

import struct
from typing import NamedTuple

from libs.imaging.containers.shape import Buffer, Shape
from libs.imaging.errors import ImageTruncated, UnreadableImage

_HEADER_BYTES = {12, 16, 40, 52, 56, 64, 108, 124}
_CORE_HEADER_BYTES = 12  # with sides of 16 bits, and nothing after the bits of a pixel
_BITS = {1, 2, 4, 8, 16, 24, 32}
_MASKS_AT = 14 + 40  # within larger headers, and directly after the header of 40 bytes
_HEADER_WITH_ALPHA_MASK = 56

BITFIELDS, _ALPHA_BITFIELDS = 3, 6
_COMPRESSIONS = {0, 1, 2, BITFIELDS, _ALPHA_BITFIELDS}
_REFUSED_COMPRESSIONS = {4: "JPEG", 5: "PNG"}


class Bitmap(NamedTuple):
    """What the headers say."""

    width: int
    height: int
    top_down: bool
    bits: int  # of a pixel
    masks: tuple[int, int, int, int] | None  # of red, green, blue and alpha, if the file states them
    compressed: bool  # by run lengths
    pixels_at: int

    @property
    def row_bytes(self) -> int:
        """Return the length of a row, which is padded to 32 bits."""
        return (self.width * self.bits + 31) // 32 * 4


def has_header(head: bytes) -> bool:
    """Return whether a file starts with the headers of a bitmap; text may start with `BM`, too."""
    if not head.startswith(b"BM") or len(head) < 26:
        return False
    (header_bytes,) = struct.unpack_from("<I", head, 14)
    if header_bytes not in _HEADER_BYTES:
        return False
    planes, bits = struct.unpack_from("<HH", head, 22 if header_bytes == _CORE_HEADER_BYTES else 26)
    return planes == 1 and bits in _BITS


def measure(data: Buffer) -> Shape:
    """Read the size.

    Raises:
        ImageTruncated: The file ends before its pixels begin.
        UnreadableImage: It uses a compression that is not supported.
    """
    bitmap = read_headers(data)
    return Shape(bitmap.width, bitmap.height)


def read_headers(data: Buffer) -> Bitmap:
    """Read the headers.

    Raises:
        ImageTruncated: The file ends before its pixels begin.
        UnreadableImage: It uses a compression that is not supported.
    """
    try:
        return _read_headers(data)
    except struct.error as error:
        raise ImageTruncated from error


def _read_headers(data: Buffer) -> Bitmap:
    pixels_at, header_bytes = struct.unpack_from("<II", data, 10)
    if header_bytes == _CORE_HEADER_BYTES:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        return Bitmap(width, height, False, bits, None, False, pixels_at)
    width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
    compression = struct.unpack_from("<I", data, 30)[0] if header_bytes >= 40 else 0
    if compression not in _COMPRESSIONS or (header_bytes == 64 and compression == BITFIELDS):
        kind = _REFUSED_COMPRESSIONS.get(compression, str(compression))
        raise UnreadableImage(f"BMP with the compression {kind} is not supported")
    masks: tuple[int, int, int, int] | None = None
    if compression in {BITFIELDS, _ALPHA_BITFIELDS}:
        with_alpha = header_bytes >= _HEADER_WITH_ALPHA_MASK or compression == _ALPHA_BITFIELDS
        red, green, blue = struct.unpack_from("<III", data, _MASKS_AT)
        alpha = struct.unpack_from("<I", data, _MASKS_AT + 12)[0] if with_alpha else 0
        masks = red, green, blue, alpha
    return Bitmap(max(width, 0), abs(height), height < 0, bits, masks, compression in {1, 2}, pixels_at)
