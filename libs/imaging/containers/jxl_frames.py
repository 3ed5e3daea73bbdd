"""JPEG XL: where the first frame of a codestream ends (ISO/IEC 18181-1, annex F)."""

from libs.imaging.containers.jxl import HeaderReader
from libs.imaging.containers.shape import Shape
from libs.imaging.errors import ImageTruncated, SourceFault

_HEAD_BYTES = 1 << 16
_GROUP = 128  # pixels, twice as many for each shift
_HALF = 16  # bits of a short floating-point number
_SECTION = ((10, 0), (14, 1024), (22, 17_408), (30, 4_211_712))
_SKIPS_PROGRESSIVE = 3
_USES_DC_FRAME = 32


class _Unknown(Exception):
    """The frame is of a kind that is not read here."""


def ends_early(codestream: bytes) -> bool:
    """Return whether the file ends within its first frame; false too if that cannot be told.

    The decoder reports a truncated file like a damaged one. This is asked only of files that it refuses.
    """
    reader = _FrameReader(codestream[2:_HEAD_BYTES], lowest_first=True)
    try:
        end = reader.end_of_frame()
    except ImageTruncated:
        return len(codestream) < _HEAD_BYTES
    except (_Unknown, SourceFault):
        return False
    return len(codestream) - 2 < end


class _FrameReader(HeaderReader):
    def end_of_frame(self) -> int:
        """Return the offset of the end of the first frame, from the end of the signature."""
        shape = self.size()
        xyb, extra = True, 0
        if not self.flag():
            xyb, extra = self._metadata()
        if not self.flag():
            raise _Unknown  # other weights of upsampling
        self._align()
        groups, passes, dc_groups = self._frame(shape, xyb, extra)
        sections = 1 if groups == passes == 1 else 2 + dc_groups + groups * passes
        if self.flag():
            raise _Unknown  # another order of the sections, which is entropy-coded
        self._align()
        length = sum(self.number(_SECTION) for _ in range(sections))
        self._align()
        return self.position // 8 + length

    def _align(self) -> None:
        self.bits(-self.position % 8)

    def _metadata(self) -> tuple[bool, int]:
        """Return whether the colours are coded in XYB, and the number of extra channels (D.3)."""
        more = self.flag()
        if more:
            self.extra_fields()
        self.depth()
        self.flag()
        extra = self.extra_channels()
        xyb = self.flag()
        if not self.flag() and self.colours() == "icc":
            raise _Unknown  # the profile follows, entropy-coded
        if more and not self.flag():
            self.bits(3 * _HALF + 1)  # tone mapping
        if self.bits(2):
            raise _Unknown  # extensions
        return xyb, extra

    def _frame(self, shape: Shape, xyb: bool, extra: int) -> tuple[int, int, int]:
        """Read a frame's header; return the numbers of groups, passes and DC groups."""
        shift, passes, upsampling = 1, 1, 1
        if not self.flag():
            if self.bits(2) not in {0, _SKIPS_PROGRESSIVE}:
                raise _Unknown  # it is only referred to
            modular = self.flag()
            flags = self._long()
            if flags & _USES_DC_FRAME:
                raise _Unknown
            if not xyb and self.flag():
                self.bits(3 * 2)  # chroma subsampling
            upsampling = 1 << self.bits(2)
            self.bits(2 * extra)
            if modular:
                shift = self.bits(2)
            elif xyb:
                self.bits(2 * 3)
            passes = self._passes()
            self._rest(extra, modular)
        side = _GROUP << shift
        sides = [-(-length // upsampling) for length in shape[:2]]
        groups, dc_groups = (-(-sides[0] // length) * -(-sides[1] // length) for length in (side, 8 * side))
        return groups, passes, dc_groups

    def _rest(self, extra: int, modular: bool) -> None:
        """Skip what follows the passes in the header of the only frame."""
        if self.flag():
            raise _Unknown  # it is not as large as the picture
        for _ in range(1 + extra):
            self._blending()
        if not self.flag():
            raise _Unknown  # other frames follow
        self.bits(8 * self.number(((0, 0), (4, 0), (5, 16), (10, 48))))  # its name
        self._filters(modular)
        if self.bits(2):
            raise _Unknown  # extensions

    def _long(self) -> int:
        """Read a number of up to 64 bits, of which only the shorter ones occur here."""
        match self.bits(2):
            case 0:
                return 0
            case 1:
                return 1 + self.bits(4)
            case 2:
                return 17 + self.bits(8)
            case _:
                raise _Unknown

    def _passes(self) -> int:
        passes = self.number(((0, 1), (0, 2), (0, 3), (3, 4)))
        if passes > 1:
            downsampled = self.number(((0, 0), (0, 1), (0, 2), (1, 3)))
            self.bits(2 * (passes - 1))
            self.bits(2 * downsampled)
            for _ in range(downsampled):
                self.number(((0, 0), (0, 1), (0, 2), (3, 0)))
        return passes

    def _blending(self) -> None:
        if self.number(((0, 0), (0, 1), (0, 2), (2, 3))):
            raise _Unknown  # it is drawn over another frame

    def _filters(self, modular: bool) -> None:
        """Skip the restoration filters (J.1)."""
        if self.flag():
            return
        if self.flag() and self.flag():
            self.bits(6 * _HALF)
        if self.bits(2):
            if not modular and self.flag():
                self.bits(8 * _HALF)
            if self.flag():
                self.bits(3 * _HALF + 2 * _HALF)
            if self.flag():
                self.bits((0 if modular else _HALF) + 3 * _HALF)
            if modular:
                self.bits(_HALF)
        if self.bits(2):
            raise _Unknown  # extensions
