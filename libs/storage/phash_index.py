"""The perceptual-hash index: find images whose hashes differ in few bits, exactly.

A hash is stored as four bands of 16 bits. When two hashes differ in at most 3, 7 or 11 bits, at least one
band differs in at most 0, 1 or 2 bits (the pigeonhole principle). A search that probes all such values of all
bands therefore misses no image. Larger distances read every hash of the owner. Triggers on the image table
keep the bands up to date.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.storage.database import piccolo_conf
from libs.storage.database.engine import rows
from libs.storage.database.postgres import PooledPostgres
from libs.storage.database.tables import Image

BANDS = 4
BAND_BITS = 16
MAX_PROBED = 11  # bits; for more, reading every hash is faster than probing

_POSTGRES = (
    "select found.image as id, found.distance from (select distinct b.image,"
    " bit_count((b.phash # {})::bit(64)) as distance from PROBES"
    " where bit_count((b.phash # {})::bit(64)) <= {}) as found"
    " join image on image.id = found.image and image.status <> 'deleting' and image.id <> {}"
    " order by found.distance, found.image limit {}"
)
_SQLITE = (
    "select found.image as id, found.distance from (select distinct b.image,"
    " hamming(b.phash, {}) as distance from PROBES"
    " where hamming(b.phash, {}) <= {}) as found"
    " join image on image.id = found.image and image.status <> 'deleting' and image.id <> {}"
    " order by found.distance, found.image limit {}"
)
_SCAN = "phash_band b where b.owner = {} and b.band = 0 and"
_POSTGRES_PROBES = (
    "unnest({}::int[]) probe join phash_band b"
    " on b.owner = {} and b.band = probe >> 16 and b.value = probe & 65535 where"
)
_SQLITE_PROBES = (
    "json_each({}) probe cross join phash_band b"
    " on b.owner = {} and b.band = probe.value >> 16 and b.value = probe.value & 65535 where"
)
NOBODY = UUID(int=0)


class LookAlike(Struct, frozen=True):
    """An image, and the number of bits in which its hash differs."""

    id: UUID
    distance: int


class Hashed(Struct, frozen=True, kw_only=True):
    """The columns of an image that grouping needs."""

    id: UUID
    phash: int
    pixels: int
    size_bytes: int


async def find(
    owner: int, phash: int, *, max_distance: int, limit: int, but: UUID = NOBODY
) -> list[LookAlike]:
    """Return the owner's images within `max_distance` bits of a signed hash, nearest first, except `but`."""
    on_postgres = isinstance(piccolo_conf.DB, PooledPostgres)
    query = _POSTGRES if on_postgres else _SQLITE
    if max_distance > MAX_PROBED:
        text, place = query.replace("PROBES where", _SCAN), [owner]
    else:
        codes = list(probes(phash, max_distance))
        given = codes if on_postgres else msgspec.json.encode(codes).decode()
        text = query.replace("PROBES where", _POSTGRES_PROBES if on_postgres else _SQLITE_PROBES)
        place = [given, owner]
    found = await rows(Image.raw(text, phash, *place, phash, max_distance, but, limit))
    return [LookAlike(row["id"], row["distance"]) for row in found]


async def all_of(owner: int) -> list[Hashed]:
    """Return all the owner's images that have a hash, oldest first."""
    found = await rows(
        Image.raw(
            "select id, phash, width * height as pixels, size_bytes from image"
            " where owner = {} and phash is not null and status <> 'deleting' order by id",
            owner,
        )
    )
    return [Hashed(**row) for row in found]


def probes(phash: int, max_distance: int) -> Iterator[int]:
    """Return every band and value, as band * 65,536 + value, that a hash within `max_distance` may have."""
    nearby = flips(max_distance // BANDS)
    for band in range(BANDS):
        value = phash >> (BAND_BITS * (BANDS - 1 - band)) & 0xFFFF
        for flip in nearby:
            yield band << BAND_BITS | value ^ flip


@cache
def flips(bits: int) -> Sequence[int]:
    """Return all 16-bit numbers with at most `bits` bits set."""
    return tuple(
        sum(1 << one for one in chosen)
        for count in range(bits + 1)
        for chosen in combinations(range(BAND_BITS), count)
    )
