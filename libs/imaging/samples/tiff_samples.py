"""Read the samples of a TIFF in whatever type they are stored, with any compression of libtiff.

The strips or tiles are given to Pillow again as a grey picture whose pixels are the bytes of the samples.
What comes back is given its type here, and the predictor (TIFF 6.0, section 14; Adobe's Technical Note 3 for
floating point) is undone.
"""

import struct
from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from libs.imaging.metadata.tiff_layout import SEPARATE_PLANES, Layout

_PREDICTOR, _HORIZONTAL, _FLOATING_POINT = 317, 2, 3
_SHORT, _LONG = 3, 4
_HEADER_BYTES = 8


class _Pieces(NamedTuple):
    """The strips or tiles of a plane."""

    columns: int  # of pixels, as many as all tiles of a row have together
    width: int  # of a piece
    rows: int  # of a piece
    tiled: bool
    offsets: Sequence[int]
    lengths: Sequence[int]


def read_samples(data: bytes, tags: ImageFileDirectory_v2, layout: Layout) -> NDArray[Any]:
    """Return rows x columns x samples in the type of the file, in the order in which they are stored."""
    width, height = int(tags[TiffImagePlugin.IMAGEWIDTH]), int(tags[TiffImagePlugin.IMAGELENGTH])
    separate = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == SEPARATE_PLANES
    planes = layout.samples if separate else 1
    pieces = _pieces(tags, width, height)
    count = len(pieces.offsets) // planes
    order = "<" if tags.prefix == b"II" else ">"
    stored = np.dtype(f"{order}{layout.sample}{layout.bits // 8}")
    decoded: list[NDArray[Any]] = []
    for plane in range(planes):
        part = slice(plane * count, (plane + 1) * count)
        own = pieces._replace(offsets=pieces.offsets[part], lengths=pieces.lengths[part])
        samples = 1 if separate else layout.samples
        raw = _read_bytes(data, tags, own, samples * stored.itemsize, height)
        typed = _undo_predictor(raw, tags.get(_PREDICTOR, 1), stored, samples, own.width)
        decoded.append(typed[:, :width])
    return np.concatenate(decoded, axis=2) if separate else decoded[0]


def _pieces(tags: ImageFileDirectory_v2, width: int, height: int) -> _Pieces:
    if TiffImagePlugin.TILEOFFSETS in tags:
        tile_width = int(tags[TiffImagePlugin.TILEWIDTH])
        columns = -(-width // tile_width) * tile_width
        rows, tiled = int(tags[TiffImagePlugin.TILELENGTH]), True
        offsets, lengths = tags[TiffImagePlugin.TILEOFFSETS], tags.get(TiffImagePlugin.TILEBYTECOUNTS)
    else:
        tile_width = columns = width
        rows, tiled = min(int(tags.get(TiffImagePlugin.ROWSPERSTRIP, height)), height), False
        offsets, lengths = tags[TiffImagePlugin.STRIPOFFSETS], tags.get(TiffImagePlugin.STRIPBYTECOUNTS)
    if not lengths or len(lengths) != len(offsets):
        raise ValueError("no byte counts")
    return _Pieces(columns, tile_width, rows, tiled, offsets, lengths)


def _read_bytes(
    data: bytes, tags: ImageFileDirectory_v2, pieces: _Pieces, pixel_bytes: int, height: int
) -> NDArray[np.uint8]:
    """Decompress a plane to rows of bytes."""
    entries: list[tuple[int, int, Sequence[int]]] = [
        (TiffImagePlugin.IMAGEWIDTH, _LONG, (pieces.columns * pixel_bytes,)),
        (TiffImagePlugin.IMAGELENGTH, _LONG, (height,)),
        (TiffImagePlugin.BITSPERSAMPLE, _SHORT, (8,)),
        (TiffImagePlugin.COMPRESSION, _SHORT, (tags.get(TiffImagePlugin.COMPRESSION, 1),)),
        (TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, _SHORT, (1,)),
        (TiffImagePlugin.FILLORDER, _SHORT, (tags.get(TiffImagePlugin.FILLORDER, 1),)),
        (TiffImagePlugin.SAMPLESPERPIXEL, _SHORT, (1,)),
    ]
    offsets = [offset + _HEADER_BYTES for offset in pieces.offsets]
    if pieces.tiled:
        entries += [
            (TiffImagePlugin.TILEWIDTH, _LONG, (pieces.width * pixel_bytes,)),
            (TiffImagePlugin.TILELENGTH, _LONG, (pieces.rows,)),
            (TiffImagePlugin.TILEOFFSETS, _LONG, offsets),
            (TiffImagePlugin.TILEBYTECOUNTS, _LONG, pieces.lengths),
        ]
    else:
        entries += [
            (TiffImagePlugin.STRIPOFFSETS, _LONG, offsets),
            (TiffImagePlugin.ROWSPERSTRIP, _LONG, (pieces.rows,)),
            (TiffImagePlugin.STRIPBYTECOUNTS, _LONG, pieces.lengths),
        ]
    with Image.open(BytesIO(_file(data, sorted(entries))), formats=["TIFF"]) as grey:
        return np.asarray(grey)


def _file(data: bytes, entries: list[tuple[int, int, Sequence[int]]]) -> bytes:
    """Put a header before the data of another TIFF, and a directory with `entries` after it."""
    data += bytes(len(data) % 2)
    at = _HEADER_BYTES + len(data)
    header = b"II*\0" + struct.pack("<I", at)
    directory, values = struct.pack("<H", len(entries)), b""
    at += 2 + 12 * len(entries) + 4
    for tag, kind, numbers in entries:
        packed = struct.pack(f"<{len(numbers)}{'H' if kind == _SHORT else 'I'}", *numbers)
        directory += struct.pack("<HHI", tag, kind, len(numbers))
        if len(packed) <= 4:
            directory += packed.ljust(4, b"\0")
        else:
            directory += struct.pack("<I", at + len(values))
            values += packed
    return b"".join((header, data, directory, bytes(4), values))


def _undo_predictor(
    raw: NDArray[np.uint8], predictor: int, stored: np.dtype[Any], samples: int, piece_width: int
) -> NDArray[Any]:
    """Return rows x columns x samples from rows of bytes; the predictor starts anew in every piece."""
    if predictor == _FLOATING_POINT:
        pieces = raw.reshape(len(raw), -1, stored.itemsize, piece_width * samples)
        summed = np.cumsum(raw.reshape(len(raw), pieces.shape[1], -1, samples), axis=2, dtype=np.uint8)
        shuffled = summed.reshape(pieces.shape).swapaxes(2, 3)  # the most significant bytes come first
        values = np.ascontiguousarray(shuffled).view(stored.newbyteorder(">"))
        return values.reshape(len(raw), -1, samples)
    values = np.ascontiguousarray(raw).view(stored)
    if predictor == _HORIZONTAL:
        unsigned = np.dtype(f"u{stored.itemsize}")
        steps = values.view(stored.str.replace(stored.kind, "u")).astype(unsigned)
        steps = steps.reshape(len(raw), -1, piece_width, samples)
        values = np.cumsum(steps, axis=2, dtype=unsigned).view(np.dtype(f"{stored.kind}{stored.itemsize}"))
    return values.reshape(len(raw), -1, samples)
