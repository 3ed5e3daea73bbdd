"""The values of TIFF and EXIF tags as Python values, and back."""

import math
import struct
from collections.abc import Sequence
from fractions import Fraction

from libs.imaging.metadata.tiff_block import (
    ASCII,
    BYTE,
    LONG,
    RATIONAL,
    SHORT,
    UNDEFINED,
    UTF8,
    ByteOrder,
    Directory,
    Tag,
)

_INTEGERS = {BYTE: "B", SHORT: "H", LONG: "L", 6: "b", 8: "h", 9: "l", 13: "L"}
_FLOATS = {11: "f", 12: "d"}
_RATIONALS = {RATIONAL: "L", 10: "l"}
_MAX_RATIONAL = 2**32 - 1


def value_of(tag: Tag, order: ByteOrder) -> object:
    """Return text and unknown bytes as bytes, a single number as itself, several as a tuple.

    A rational is a `Fraction`, or not a number if its denominator is 0.
    """
    if tag.kind in {ASCII, UTF8, UNDEFINED}:
        return tag.data
    values = numbers_of(tag, order)
    return values[0] if len(values) == 1 else values


def numbers_of(tag: Tag, order: ByteOrder) -> tuple[int | float | Fraction, ...]:
    """Return the numbers of a tag; none if it holds text."""
    if tag.kind in _RATIONALS:
        parts = struct.unpack(f"{order}{len(tag.data) // 4}{_RATIONALS[tag.kind]}", tag.data)
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return tuple(Fraction(above, below) if below else math.nan for above, below in pairs)
    kind = (_INTEGERS | _FLOATS).get(tag.kind)
    return struct.unpack(f"{order}{tag.count}{kind}", tag.data) if kind else ()


def values_of(directory: Directory | None, order: ByteOrder) -> dict[int, object]:
    """Return the values of a directory by the numbers of their tags."""
    tags = reversed(directory.tags if directory else ())  # of two tags of one number, the first is used
    return {tag.number: value_of(tag, order) for tag in tags}


def integer_tag(number: int, value: int, order: ByteOrder, kind: int = LONG) -> Tag:
    """Return a tag of one integer, as SHORT if `kind` says so and it is small enough."""
    kind = SHORT if kind == SHORT and value < 2**16 else LONG
    return Tag(number, kind, struct.pack(order + _INTEGERS[kind], value))


def integers_tag(number: int, kind: int, values: Sequence[int], order: ByteOrder) -> Tag:
    """Return a tag of integers.

    Raises:
        struct.error: A value is too large for `kind`.
    """
    return Tag(number, kind, struct.pack(f"{order}{len(values)}{_INTEGERS[kind]}", *values))


def rational_tag(number: int, value: float | Fraction, order: ByteOrder) -> Tag:
    """Return a tag of one rational that is at least 0, as exactly as 32 bits for each part allow."""
    fraction = Fraction(value).limit_denominator(1_000_000)
    while fraction.numerator > _MAX_RATIONAL:
        fraction = fraction.limit_denominator(max(1, fraction.denominator // 1000))
        if fraction.denominator == 1:
            fraction = Fraction(min(fraction.numerator, _MAX_RATIONAL))
    return Tag(number, RATIONAL, struct.pack(order + "LL", fraction.numerator, fraction.denominator))
