"""Write GIF, APNG and WebP animations frame by frame, as their specifications lay them out.

The encoders at hand choose rectangle, disposal and blending by themselves; tests of decoding need every
combination.
"""

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


class GifFrame(NamedTuple):
    """A rectangle of palette indices below 128."""

    indices: Pixels
    left: int = 0
    top: int = 0
    disposal: int = 0
    delay_cs: int = 10
    transparent: int | None = None
    palette: bytes | None = None  # local


def gif(
    size: tuple[int, int], frames: Sequence[GifFrame], palette: bytes = b"", *, end: bytes = b";"
) -> bytes:
    """Return a GIF with a global palette of 128 colours, or none, that plays forever."""
    screen = struct.pack("<HHBBB", *size, 0xF6 if palette else 0, 0, 0) + palette.ljust(
        384 if palette else 0, b"\0"
    )
    loop = b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    return b"GIF89a" + screen + loop + b"".join(map(_gif_frame, frames)) + end


def _gif_frame(frame: GifFrame) -> bytes:
    flags = frame.disposal << 2 | (frame.transparent is not None)
    control = b"!\xf9\4" + struct.pack("<BHBB", flags, frame.delay_cs, frame.transparent or 0, 0)
    height, width = frame.indices.shape
    local = b"" if frame.palette is None else frame.palette.ljust(384, b"\0")
    box = struct.pack("<HHHHB", frame.left, frame.top, width, height, 0x86 if local else 0)
    return control + b"," + box + local + lzw(frame.indices.tobytes())


def lzw(indices: bytes) -> bytes:
    """Return indices below 128 as LZW codes of 8 bits; a clear code keeps the codes from growing."""
    codes = b"".join(b"\x80" + indices[at : at + 100] for at in range(0, len(indices), 100)) + b"\x81"
    blocks = (codes[at : at + 255] for at in range(0, len(codes), 255))
    return b"\x07" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


class ApngFrame(NamedTuple):
    """A rectangle of samples, height x width x channels, in the colour type of the file."""

    samples: Pixels
    left: int = 0
    top: int = 0
    disposal: int = 0
    blend: int = 0
    delay: tuple[int, int] = (1, 10)  # numerator and denominator, in seconds


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def apng(
    size: tuple[int, int],
    frames: Sequence[ApngFrame],
    colour_type: int,
    colours: bytes = b"",
    *,
    default: Pixels | None = None,
) -> bytes:
    """Return an APNG with 8-bit samples; `colours` are PLTE and tRNS, `default` is the still image."""
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, colour_type, 0, 0, 0))]
    parts += [chunk(b"acTL", struct.pack(">II", len(frames), 0)), colours]
    number = 0
    if default is not None:
        parts.append(chunk(b"IDAT", _png_rows(default)))
    for frame in frames:
        height, width = frame.samples.shape[:2]
        box = struct.pack(">IIIII", number, width, height, frame.left, frame.top)
        number += 1
        parts.append(chunk(b"fcTL", box + struct.pack(">HHBB", *frame.delay, frame.disposal, frame.blend)))
        if frame is frames[0] and default is None:
            parts.append(chunk(b"IDAT", _png_rows(frame.samples)))
            continue
        rows = _png_rows(frame.samples)
        for piece in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            parts.append(chunk(b"fdAT", struct.pack(">I", number) + piece))
            number += 1
    return b"".join([*parts, chunk(b"IEND", b"")])


def _png_rows(samples: Pixels) -> bytes:
    rows = samples.reshape(samples.shape[0], -1)
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))


class WebpFrame(NamedTuple):
    """A rectangle of RGBA pixels at an even place."""

    pixels: Pixels
    left: int = 0
    top: int = 0
    disposes: bool = False  # to the background
    blends: bool = True
    duration_ms: int = 100


def webp(size: tuple[int, int], frames: Sequence[WebpFrame], *, alpha_flag: bool = True) -> bytes:
    """Return a lossless WebP animation that plays forever."""
    header = bytes([0x02 | 0x10 * alpha_flag, 0, 0, 0]) + _three_bytes(size[0] - 1, size[1] - 1)
    chunks = [_riff(b"VP8X", header), _riff(b"ANIM", bytes(6)), *map(_webp_frame, frames)]
    return _riff(b"RIFF", b"WEBP" + b"".join(chunks))


def _webp_frame(frame: WebpFrame) -> bytes:
    buffer = BytesIO()
    Image.fromarray(frame.pixels).save(buffer, "WEBP", lossless=True, exact=True)
    data = buffer.getvalue()
    pixels = data[12:] if data[12:16] == b"VP8L" else data[30:]
    height, width = frame.pixels.shape[:2]
    box = _three_bytes(frame.left // 2, frame.top // 2, width - 1, height - 1, frame.duration_ms)
    return _riff(b"ANMF", box + bytes([frame.disposes | (not frame.blends) << 1]) + pixels)


def _riff(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _three_bytes(*values: int) -> bytes:
    return b"".join(value.to_bytes(3, "little") for value in values)
