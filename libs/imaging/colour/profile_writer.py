"""Describe a colour space as an ICC profile, for formats that have no other way to say it."""

import struct
from functools import lru_cache

import numpy as np

from libs.imaging.colour import matrices
from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.colour.transfer_functions import Doubles, linear_table

_CURVE_POINTS = 1024
_HEADER_BYTES = 128


@lru_cache(maxsize=8)
def icc_profile(space: ColourSpace, *, grey: bool) -> bytes:
    """Return a display profile of version 4.3 (ICC.1:2010), for RGB or for grey pixels."""
    adapted, adaptation = matrices.to_d50(space.primaries)
    curve = _curve(space)
    tags = {
        b"desc": _text(_description(space)),
        b"cprt": _text("CC0"),
        b"wtpt": _xyz(matrices.D50),
        b"chad": b"sf32" + bytes(4) + _fixed(adaptation.ravel()),
    }
    if grey:
        tags[b"kTRC"] = curve
    else:
        tags |= {name: _xyz(adapted[:, at]) for at, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _file(tags, b"GRAY" if grey else b"RGB ")


def _file(tags: dict[bytes, bytes], colours: bytes) -> bytes:
    """Put the header and the table of tags before the tags; equal tags are stored once."""
    start = _HEADER_BYTES + 4 + 12 * len(tags)
    body, places, table = b"", dict[bytes, int](), b""
    for name, data in tags.items():
        if data not in places:
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, places[data], len(data))
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x04300000, b"mntr", colours, b"XYZ ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _fixed(matrices.D50)
    return header.ljust(_HEADER_BYTES, b"\0") + struct.pack(">I", len(tags)) + table + body


def _curve(space: ColourSpace) -> bytes:
    if isinstance(space.curve, float | int) and space.full_range:
        return b"para" + bytes(4) + struct.pack(">HH", 0, 0) + _fixed(np.array([space.curve]))
    if space.curve == "srgb" and space.full_range:
        constants = np.array([2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])
        return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(constants)
    points = np.round(linear_table(space, _CURVE_POINTS) * 65_535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(points)) + points.tobytes()


def _description(space: ColourSpace) -> str:
    points = space.code_points
    if points:
        return f"CICP {points.primaries}/{points.transfer}"
    return f"gamma {space.curve:g}" if isinstance(space.curve, float | int) else "sRGB"


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _xyz(values: Doubles) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _fixed(values: Doubles) -> bytes:
    """Encode numbers as s15Fixed16."""
    return np.round(values * 65_536).astype(">i4").tobytes()
