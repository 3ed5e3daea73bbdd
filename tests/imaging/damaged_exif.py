"""Damage one field of a rich EXIF block, and find out what was lost."""

import struct
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tests.imaging.rich_exif import POINTERS, Field, build, rich_fields

KINDS = [0, 1, 2, 3, 5, 7, 12, 16, 129, 65_535]
COUNTS = [0, 1, 3, 17, 65_535, 2**31, 2**32 - 1]
BELOW = {"exif": {"exif", "interoperability"}, "gps": {"gps"}, "interoperability": {"interoperability"}}


class Damaged(NamedTuple):
    """A block with one damaged tag, and the fields that may be lost."""

    what: str
    data: bytes
    fields: list[Field]
    may_be_lost: set[Field]

    def lost(self, found: set[Field]) -> set[Field]:
        """Return the undamaged fields that are missing."""
        return set(self.fields) - found - self.may_be_lost


def damaged_blocks() -> Iterator[Damaged]:
    """Damage the type, the count, and the offset or value of every tag in turn, in both byte orders."""
    for order in "<>":
        fields = rich_fields(order)
        built = build(fields, order)
        for tag, entry in built.entries.items():
            for at, layout, values in _places(entry, len(built.data)):
                for value in values:
                    data = bytearray(built.data)
                    struct.pack_into(order + layout, data, at, value)
                    yield _damaged(f"{order} {tag} +{at - entry}: {value}", bytes(data), fields, tag)


def random_damage(random: Random) -> Damaged:
    """Damage one tag at random."""
    order = random.choice("<>")
    fields = rich_fields(order)
    built = build(fields, order)
    tag, entry = random.choice([*built.entries.items()])
    at, layout, values = random.choice([*_places(entry, len(built.data))])
    value = random.choice([*values, random.randrange(len(built.data))])
    data = bytearray(built.data)
    struct.pack_into(order + layout, data, at, value)
    return _damaged(f"{order} {tag} +{at - entry}: {value}", bytes(data), fields, tag)


def _places(entry: int, length: int) -> Iterator[tuple[int, str, list[int]]]:
    yield entry + 2, "H", KINDS
    yield entry + 4, "L", COUNTS
    offsets = [0, 7, 8, length // 2, length - 1, length, 2**31, 2**32 - 1]
    yield entry + 8, "L", offsets


def _damaged(what: str, data: bytes, fields: list[Field], tag: tuple[str, int]) -> Damaged:
    below = BELOW.get(POINTERS.get(tag[1], ""), set[str]())
    lost = {field for field in fields if (field.directory, field.number) == tag or field.directory in below}
    return Damaged(what, data, fields, lost)
