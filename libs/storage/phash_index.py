"""The perceptual-hash index: find all images whose hashes differ in at most a given number of bits.

The table `phash_band` has each hash as four bands of 16 bits; triggers on the image table maintain it. If two
hashes differ in at most 3, 7 or 11 bits, then some band differs in at most 0, 1 or 2 bits (the pigeonhole
principle). So a search probes all such values of all bands and finds every match. A larger distance reads
every hash of the owner.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
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
MAX_PROBED_DISTANCE = 11  # bits; above it, reading every hash is cheaper than probing

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
NO_IMAGE = UUID(int=0)
PIECE = 5000  # images that are read at once

# A piece comes as one JSON text: that is several times as fast as a row for each image.
_PIECE = (
    "select id, phash, width * height as pixels, size_bytes from image where owner = {} and id > {}"
    " and phash is not null and status <> 'deleting' order by id limit {}"
)
_POSTGRES_PIECE = (
    "select json_agg(json_build_array(id, phash, pixels, size_bytes) order by id) as found"
    " from (PIECE) as piece"
).replace("PIECE", _PIECE)
_SQLITE_PIECE = (
    "select json_group_array(json_array(id, phash, pixels, size_bytes)) as found from (PIECE) as piece"
).replace("PIECE", _PIECE)


class SimilarImage(Struct, frozen=True):
    """An image, and in how many bits its hash differs from the one searched for."""

    id: UUID
    distance: int


class HashedImage(Struct, frozen=True, array_like=True):
    """An image as grouping needs it."""

    id: UUID
    phash: int
    pixels: int
    size_bytes: int


_decode_piece = msgspec.json.Decoder(list[HashedImage]).decode


async def find(
    owner: int, phash: int, *, max_distance: int, limit: int, exclude: UUID = NO_IMAGE
) -> list[SimilarImage]:
    """Return the owner's images within `max_distance` bits of a hash, nearest first, without `exclude`."""
    on_postgres = isinstance(piccolo_conf.DB, PooledPostgres)
    query = _POSTGRES if on_postgres else _SQLITE
    if max_distance > MAX_PROBED_DISTANCE:
        text, arguments = query.replace("PROBES where", _SCAN), [owner]
    else:
        codes = list(probes(phash, max_distance))
        probed = codes if on_postgres else msgspec.json.encode(codes).decode()
        text = query.replace("PROBES where", _POSTGRES_PROBES if on_postgres else _SQLITE_PROBES)
        arguments = [probed, owner]
    found = await rows(Image.raw(text, phash, *arguments, phash, max_distance, exclude, limit))
    return [SimilarImage(row["id"], row["distance"]) for row in found]


async def hashed_images(owner: int) -> AsyncGenerator[list[HashedImage]]:
    """Yield all of the owner's images that have a hash, oldest first.

    They come in pieces, so that other work gets its turn between two.
    """
    query = _POSTGRES_PIECE if isinstance(piccolo_conf.DB, PooledPostgres) else _SQLITE_PIECE
    after = NO_IMAGE
    while True:
        [row] = await rows(Image.raw(query, owner, after, PIECE))
        found = _decode_piece(row["found"] or "[]")
        if found:
            yield found
        if len(found) < PIECE:
            return
        after = found[-1].id


def probes(phash: int, max_distance: int) -> Iterator[int]:
    """Yield the band values that a hash within `max_distance` can have, each as band * 65,536 + value."""
    masks = bit_masks(max_distance // BANDS)
    for band in range(BANDS):
        value = phash >> (BAND_BITS * (BANDS - 1 - band)) & 0xFFFF
        for mask in masks:
            yield band << BAND_BITS | value ^ mask


@cache
def bit_masks(bits: int) -> Sequence[int]:
    """Return all 16-bit numbers with at most `bits` bits set."""
    return tuple(
        sum(1 << bit for bit in positions)
        for count in range(bits + 1)
        for positions in combinations(range(BAND_BITS), count)
    )
