"""JPEG XL: boxes (ISO/IEC 18181-2) and the headers of the codestream (ISO/IEC 18181-1, annexes C and D)."""

import struct
from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from libs.imaging.colour.spaces import SRGB_PRIMARIES, UNSPECIFIED, CodePoints, ColourSpace, from_code_points
from libs.imaging.containers.bit_reader import BitReader
from libs.imaging.containers.iso_boxes import Box, boxes
from libs.imaging.containers.shape import Buffer, Shape
from libs.imaging.errors import FeatureNotSupported, ImageTruncated, UnreadableImage

MAX_EXTRA_CHANNELS = 16
"""Limit of channels besides the colours, each of which takes as much memory as a colour."""

_SIGNATURE = b"\xff\x0a"
_HEAD_BYTES = 4096  # at most 16 extra channels with names of 1,071 bytes are not all read
_LAST = 1 << 31  # flag in the number of a partial codestream
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_ALPHA, _SPOT, _BLACK, _FILTER = 0, 2, 4, 5
_XYB, _CUSTOM, _D65, _DCI, _P3, _GAMMA_UNIT = 2, 2, 1, 11, 11, 1e7
_D65_P3 = 12  # in ITU-T H.273, where 11 has the white of DCI
_WHITES = {_D65: (0.3127, 0.3290), 10: (1 / 3, 1 / 3), _DCI: (0.314, 0.351)}
_PRIMARIES_XY = {
    1: SRGB_PRIMARIES[:6],
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    _P3: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_Distribution: TypeAlias = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]
"""The four ways to store a number: a count of bits, and what is added."""

_SIZE: _Distribution = ((9, 1), (13, 1), (18, 1), (30, 1))
_ENUM: _Distribution = ((0, 0), (0, 1), (4, 2), (6, 18))
_COORDINATE: _Distribution = ((19, 0), (19, 1 << 19), (20, 1 << 20), (21, 1 << 21))


class JxlHeader(Struct, frozen=True, kw_only=True):
    """What the headers say of the picture."""

    shape: Shape  # upright
    colours: ColourSpace | Literal["icc"] | None  # None: sRGB, or nothing that can be described


def codestream(data: Buffer) -> bytes:
    """Return the codestream without the boxes around it.

    Raises:
        ImageTruncated: It ends too early.
    """
    if data[:2] == _SIGNATURE:
        return bytes(data)
    parts: list[bytes] = []
    for box in _boxes(data):
        if box.name in {b"jxlc", b"jxlp"}:
            if box.cut:
                raise ImageTruncated
            parts.append(data[box.start + (4 if box.name == b"jxlp" else 0) : box.end])
    if not parts:
        raise ImageTruncated
    return b"".join(parts)


def is_complete(data: Buffer) -> bool:
    """Return whether no box with pixels is cut or missing; a file without boxes counts as complete."""
    if data[:2] == _SIGNATURE:
        return True
    last = False
    for box in _boxes(data):
        if box.name in {b"jxlc", b"jxlp"}:
            if box.cut:
                return False
            last = box.name == b"jxlc" or bool(_number(data, box) & _LAST)
    return last


def only_pixels(data: Buffer) -> bool:
    """Return whether the file has nothing but a codestream, so no metadata."""
    known = {b"JXL ", b"ftyp", b"jxlc", b"jxlp", b"jxll"}
    return data[:2] == _SIGNATURE or all(box.name in known for box in _boxes(data))


def metadata_boxes(data: Buffer) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the contents of each box with EXIF, XMP, or either in compressed form."""
    if data[:2] == _SIGNATURE:
        return
    for box in _boxes(data):
        if box.name in {b"Exif", b"xml ", b"brob"}:
            yield box.name, data[box.start : box.end]


def read_header(data: Buffer) -> JxlHeader:
    """Read the size and the colours.

    Raises:
        ImageTruncated: The file ends before them.
        UnreadableImage: They are damaged.
        FeatureNotSupported: The file is an animation, in CMYK, or has more than `MAX_EXTRA_CHANNELS`.
    """
    head = _head(data)
    if head[:2] != _SIGNATURE:
        raise UnreadableImage("its header is damaged")
    reader = HeaderReader(head[2:], lowest_first=True)
    shape = reader.size()
    if reader.flag():  # all is as usual
        return JxlHeader(shape=shape, colours=None)
    orientation = reader.extra_fields() if reader.flag() else 1
    reader.depth()
    reader.flag()
    reader.extra_channels()
    reader.flag()  # whether the colours are coded in XYB
    colours = None if reader.flag() else reader.colours()
    if orientation > 4:
        shape = Shape(shape.height, shape.width)
    return JxlHeader(shape=shape, colours=colours)


def _head(data: Buffer) -> bytes:
    if data[:2] == _SIGNATURE:
        return data[:_HEAD_BYTES]
    head = b""
    for box in _boxes(data):
        if box.name in {b"jxlc", b"jxlp"}:
            start = box.start + (4 if box.name == b"jxlp" else 0)
            head += data[start : min(box.end, start + _HEAD_BYTES)]
            if len(head) >= _HEAD_BYTES:
                break
    if len(head) < 2:
        raise ImageTruncated
    return head[:_HEAD_BYTES]


def _boxes(data: Buffer) -> Iterator[Box]:
    try:
        yield from boxes(data, 0, len(data))
    except struct.error:
        return


def _number(data: Buffer, box: Box) -> int:
    return int.from_bytes(data[box.start : box.start + 4], "big")


class HeaderReader(BitReader):
    """Reads the fields of the headers."""

    def flag(self) -> bool:
        return bool(self.bits(1))

    def number(self, distribution: _Distribution) -> int:
        count, offset = distribution[self.bits(2)]
        return self.bits(count) + offset

    def size(self) -> Shape:
        small = self.flag()
        height = self._side(small)
        ratio = self.bits(3)
        if ratio == 0:
            return Shape(self._side(small), height)
        across, down = _RATIOS[ratio - 1]
        return Shape(height * across // down, height)

    def _side(self, small: bool) -> int:
        return (self.bits(5) + 1) * 8 if small else self.number(_SIZE)

    def extra_fields(self) -> int:
        """Read the orientation; skip the intrinsic size and the preview."""
        orientation = self.bits(3) + 1
        if self.flag():
            self.size()
        if self.flag():
            self._preview()
        if self.flag():
            raise FeatureNotSupported("animation in a JPEG XL")
        return orientation

    def _preview(self) -> None:
        small: _Distribution = ((0, 16), (0, 32), (5, 1), (9, 33))
        sides: _Distribution = small if self.flag() else ((6, 1), (8, 65), (10, 321), (12, 1345))
        self.number(sides)
        if self.bits(3) == 0:
            self.number(sides)

    def depth(self) -> None:
        """Skip the type of samples."""
        if self.flag():  # floating point
            self.number(((0, 32), (0, 16), (0, 24), (6, 1)))
            self.bits(4)
        else:
            self.number(((0, 8), (0, 10), (0, 12), (6, 1)))

    def extra_channels(self) -> int:
        """Skip the channels besides the colours; return how many there are."""
        count = self.number(((0, 0), (0, 1), (4, 2), (12, 1)))
        if count > MAX_EXTRA_CHANNELS:
            raise FeatureNotSupported(f"a JPEG XL with more than {MAX_EXTRA_CHANNELS} extra channels")
        for _ in range(count):
            if not self.flag():  # otherwise alpha of 8 bits
                self._extra_channel()
        return count

    def _extra_channel(self) -> None:
        kind = self.number(_ENUM)
        self.depth()
        self.number(((0, 0), (0, 3), (0, 4), (3, 1)))
        self.bits(8 * self.number(((0, 0), (4, 0), (5, 16), (10, 48))))  # its name
        if kind == _ALPHA:
            self.flag()
        elif kind == _SPOT:
            self.bits(4 * 16)
        elif kind == _FILTER:
            self.number(((0, 1), (2, 0), (4, 3), (8, 19)))
        elif kind == _BLACK:
            raise FeatureNotSupported("CMYK in a JPEG XL")

    def colours(self) -> ColourSpace | Literal["icc"] | None:
        profile = self.flag()
        kind = self.number(_ENUM)
        if profile:
            return "icc"
        if kind == _XYB:
            return None
        white_kind = self.number(_ENUM)
        white = self._point() if white_kind == _CUSTOM else _WHITES.get(white_kind)
        primaries_kind, primaries = 1, _PRIMARIES_XY[1]
        if kind == 0:
            primaries_kind = self.number(_ENUM)
            custom = primaries_kind == _CUSTOM
            primaries = (
                (*self._point(), *self._point(), *self._point())
                if custom
                else _PRIMARIES_XY.get(primaries_kind)
            )
        gamma = self.bits(24) / _GAMMA_UNIT if self.flag() else 0.0
        transfer = 0 if gamma else self.number(_ENUM)
        self.number(_ENUM)  # the rendering intent
        if white is None or primaries is None:
            return None
        if white_kind == _D65 and primaries_kind == _P3:
            primaries_kind = _D65_P3
        return _space((*primaries, *white), primaries_kind, transfer, gamma)

    def _point(self) -> tuple[float, float]:
        """Read x and y in millionths, of which the lowest bit is the sign."""
        across, down = (self.number(_COORDINATE) for _ in range(2))
        return tuple((value >> 1 ^ -(value & 1)) / 1_000_000 for value in (across, down))  # type: ignore[return-value]


def _space(
    chromaticities: tuple[float, ...], primaries: int, transfer: int, gamma: float
) -> ColourSpace | None:
    """Return the colour space; the transfer function of television is taken as sRGB's, as in an AVIF."""
    if gamma:
        return ColourSpace(primaries=chromaticities, curve=1 / gamma)  # type: ignore[arg-type]
    points = CodePoints(primaries, transfer, 0, full_range=True)
    known = from_code_points(points, television="srgb")
    if known and known.primaries == chromaticities:
        return known
    curve = from_code_points(CodePoints(UNSPECIFIED, transfer, 0, full_range=True), television="srgb")
    return ColourSpace(primaries=chromaticities, curve=curve.curve) if curve else None  # type: ignore[arg-type]
