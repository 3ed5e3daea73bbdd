"""Rewrite a BMP whose channels lie where Pillow does not read them."""

import struct

import numpy as np
import numpy.typing as npt

from libs.imaging.containers.bmp import Bitmap, read_headers
from libs.imaging.containers.shape import Buffer

_PILLOW_READS = {
    (32, (0xFF0000, 0xFF00, 0xFF, 0)),
    (32, (0xFF000000, 0xFF0000, 0xFF00, 0)),
    (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
    (16, (0xF800, 0x7E0, 0x1F, 0)),
    (16, (0x7C00, 0x3E0, 0x1F, 0)),
}
_OUTPUT_MASKS = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)


def with_standard_channels(data: Buffer) -> bytes | None:
    """Return the bitmap with 8 bits a channel; None if Pillow reads it as it is.

    An alpha channel that is 0 everywhere counts as absent, as in browsers: many writers leave it empty.
    """
    bitmap = read_headers(data)
    if bitmap.masks is None or not any(bitmap.masks[:3]) or bitmap.bits not in {16, 32}:
        return None
    has_alpha = bitmap.masks[3] != 0
    if not has_alpha and (bitmap.bits, bitmap.masks) in _PILLOW_READS:
        return None
    pixels = _pixels(data, bitmap)
    if pixels is None:
        return None  # it is truncated, which Pillow says
    channels = [_channel(pixels, mask) for mask in bitmap.masks[:3]]
    alpha = _channel(pixels, bitmap.masks[3]) if has_alpha else np.zeros_like(channels[0])
    has_alpha = bool(alpha.any())
    red, green, blue = channels
    body = np.dstack([blue, green, red, alpha])
    height = -bitmap.height if bitmap.top_down else bitmap.height
    header = struct.pack("<IiiHHIIIIII", 56, bitmap.width, height, 1, 32, 3, body.size, 0, 0, 0, 0)
    masks = struct.pack("<IIII", *_OUTPUT_MASKS[:3], _OUTPUT_MASKS[3] if has_alpha else 0)
    return b"BM" + struct.pack("<IHHI", 70 + body.size, 0, 0, 70) + header + masks + body.tobytes()


def _pixels(data: Buffer, bitmap: Bitmap) -> npt.NDArray[np.uint32] | None:
    size = bitmap.row_bytes * bitmap.height
    stored = data[bitmap.pixels_at : bitmap.pixels_at + size]
    if len(stored) < size:
        return None
    kind = np.dtype("<u2" if bitmap.bits == 16 else "<u4")
    rows = np.frombuffer(stored, kind).reshape(bitmap.height, bitmap.row_bytes // kind.itemsize)
    return rows[:, : bitmap.width].astype(np.uint32)


def _channel(pixels: npt.NDArray[np.uint32], mask: int) -> npt.NDArray[np.uint8]:
    """Return the bits of a mask, scaled to 0 to 255; 0 where the mask is empty."""
    if not mask:
        return np.zeros(pixels.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    values = (pixels & np.uint32(mask)) >> np.uint32(shift)
    return np.round(values * (255 / (mask >> shift))).astype(np.uint8)
