"""HEVC: the size of the pictures by a sequence parameter set (ITU-T H.265, 7.3.2.2)."""

import re

from libs.imaging.containers.bit_reader import BitReader
from libs.imaging.containers.iso_boxes import Box
from libs.imaging.containers.shape import Buffer, Shape

_SPS = 33
_HEAD_BYTES = 512  # of a parameter set, which begins with the size
_ARRAYS_AT = 22  # in the configuration record (ISO/IEC 14496-15, 8.3.2.1.2)


def coded_sizes(data: Buffer, hvcc: Box) -> list[Shape]:
    """Return the sizes for which a decoder of this configuration allocates memory.

    Raises:
        LookupError: The box is cut off.
        ImageTruncated: A parameter set is cut off.
    """
    record = data[hvcc.start : hvcc.end]
    sizes: list[Shape] = []
    at = _ARRAYS_AT + 1
    for _ in range(record[_ARRAYS_AT]):
        kind, count = record[at] & 0x3F, int.from_bytes(record[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            length = int.from_bytes(record[at : at + 2], "big")
            if kind == _SPS:
                sizes.append(_size(record[at + 2 : at + 2 + min(length, _HEAD_BYTES)]))
            at += 2 + length
            if at > len(record):
                raise IndexError
    return sizes


def _size(unit: bytes) -> Shape:
    """Read a NAL unit up to the size."""
    reader = BitReader(re.sub(rb"\0\0\x03", b"\0\0", unit), lowest_first=False)
    reader.bits(16 + 4)  # the unit's header; the number of the video parameter set
    sub_layers = reader.bits(3)
    reader.bits(1)
    _skip_profiles(reader, sub_layers)
    _golomb(reader)  # the set's number
    if _golomb(reader) == 3:  # the chroma format
        reader.bits(1)
    return Shape(_golomb(reader), _golomb(reader))


def _skip_profiles(reader: BitReader, sub_layers: int) -> None:
    """Skip the profile, tier and level (7.3.3)."""
    reader.bits(96)
    present = [reader.bits(2) for _ in range(sub_layers)]
    if sub_layers:
        reader.bits(2 * (8 - sub_layers))
    for flags in present:
        reader.bits(88 * (flags >> 1) + 8 * (flags & 1))


def _golomb(reader: BitReader) -> int:
    """Read an unsigned Exp-Golomb number (9.2)."""
    zeros = 0
    while not reader.bits(1):
        zeros += 1
    return (1 << zeros) - 1 + reader.bits(zeros)
