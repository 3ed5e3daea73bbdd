"""Look-alikes are found exactly: compared with a brute-force computation."""

import random
from collections.abc import Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from libs.contracts.enums import ImageStatus
from libs.imaging.hashing import signed64
from libs.storage import image_expiry, phash_index
from libs.storage.database.engine import Engine, rows
from libs.storage.database.tables import BaseUser, Image
from tests.storage.rows import an_image, an_owner, image_of

ALL_BITS = (1 << 64) - 1
EDGES = (0, 1, 14, 15, 16, 17, 30, 31, 32, 33, 46, 47, 48, 49, 62, 63)  # beside every band's, and the sign


def brute_force(hashes: dict[UUID, int], query: int, max_distance: int) -> list[tuple[int, UUID]]:
    ids = list(hashes)
    values = np.array([hashes[one] & ALL_BITS for one in ids], dtype=np.uint64)
    bits = np.unpackbits((values ^ np.uint64(query & ALL_BITS)).view(np.uint8)).reshape(len(ids), 64)
    distances = bits.sum(axis=1)
    near = [(int(distance), one) for one, distance in zip(ids, distances, strict=True)]
    return sorted((found for found in near if found[0] <= max_distance), key=lambda found: found)


async def stored(owner: BaseUser, hashes: Sequence[int]) -> dict[UUID, int]:
    found = [image_of(owner, phash=signed64(f"{one & ALL_BITS:016x}")) for one in hashes]
    for start in range(0, len(found), 500):
        await Image.insert(*found[start : start + 500])
    return {image.id: image.phash for image in found}


async def found_by(owner: BaseUser, query: int, max_distance: int, **options: Any) -> list[tuple[int, UUID]]:
    signed = signed64(f"{query & ALL_BITS:016x}")
    found = await phash_index.find(owner.id, signed, max_distance=max_distance, limit=100_000, **options)
    return [(one.distance, one.id) for one in found]


def near(center: int, bits: int, source: random.Random) -> int:
    for bit in source.sample(range(64), bits):
        center ^= 1 << bit
    return center


@pytest.fixture
async def owner(database: Engine) -> BaseUser:
    return await an_owner()


@pytest.mark.parametrize(
    "center", [0, ALL_BITS, 1 << 63, (1 << 63) - 1, 0x8000_8000_8000_8000, 0x0123456789ABCDEF]
)
async def test_every_change_at_the_edge_of_a_band_is_found(owner: BaseUser, center: int) -> None:
    changed = [
        center ^ sum(1 << bit for bit in chosen)
        for count in (1, 2, 3)
        for chosen in combinations(EDGES, count)
    ]
    hashes = await stored(owner, [center, *changed])
    for max_distance in (0, 1, 2, 3):
        assert await found_by(owner, center, max_distance) == brute_force(hashes, center, max_distance)
    query = center ^ (1 << 63 | 1 << 48 | 1 << 31 | 1 << 16 | 1)
    for max_distance in (3, 4, 5, 7, 8):
        assert await found_by(owner, query, max_distance) == brute_force(hashes, query, max_distance)


@pytest.mark.parametrize("max_distance", [*range(14), 20, 40, 64])
async def test_the_answer_is_that_of_brute_force(owner: BaseUser, max_distance: int) -> None:
    source = random.Random(max_distance)  # noqa: S311
    center = source.getrandbits(64)
    hashes = await stored(
        owner,
        [source.getrandbits(64) for _ in range(500)]
        + [near(center, bits, source) for bits in range(15) for _ in range(20)],
    )
    for query in (center, near(center, 1, source), near(center, 5, source), source.getrandbits(64)):
        assert await found_by(owner, query, max_distance) == brute_force(hashes, query, max_distance)


async def test_changes_spread_as_thinly_as_can_be_are_found(owner: BaseUser) -> None:
    """The worst of the pigeonhole: as many changed bits as allowed, the same number in every band."""
    source = random.Random(4)  # noqa: S311
    for max_distance, bits_a_band in ((3, (0, 1, 1, 1)), (7, (1, 2, 2, 2)), (11, (2, 3, 3, 3))):
        center = source.getrandbits(64)
        spread: list[int] = []
        for _ in range(100):
            order = source.sample(bits_a_band, 4)
            flips = [16 * band + bit for band in range(4) for bit in source.sample(range(16), order[band])]
            spread.append(center ^ sum(1 << bit for bit in flips))
        hashes = await stored(owner, spread)
        found = await found_by(owner, center, max_distance)
        assert {one for distance, one in found if distance == max_distance} == set(hashes)
        assert not {one for _, one in await found_by(owner, center, max_distance - 1)} & set(hashes)


async def test_only_the_owners_visible_images_count(owner: BaseUser) -> None:
    mine, hidden = [
        await an_image(owner, phash=5, status=s) for s in (ImageStatus.READY, ImageStatus.DELETING)
    ]
    await an_image(await an_owner(), phash=5)
    await an_image(owner, phash=None)
    for max_distance in (0, 10, 64):
        assert await found_by(owner, 5, max_distance) == [(0, mine.id)]
        assert await found_by(owner, 5, max_distance, exclude=mine.id) == []
    assert hidden.id


async def test_the_nearest_come_first_and_no_more_than_the_limit(owner: BaseUser) -> None:
    hashes = await stored(owner, [0b111, 0b1, 0b11, 0b1111, 0])
    found = await phash_index.find(owner.id, 0, max_distance=10, limit=3)
    assert [hashes[one.id] for one in found] == [0, 0b1, 0b11]
    assert [one.distance for one in found] == [0, 1, 2]


async def bands(image_id: UUID) -> list[tuple[int, int]]:
    found = await rows(
        Image.raw("select band, value from phash_band where image = {} order by band, value", image_id)
    )
    return [(row["band"], row["value"]) for row in found]


async def test_the_bands_follow_the_hash_whatever_writes_it(owner: BaseUser) -> None:
    image = await an_image(owner)
    assert await bands(image.id) == []
    await Image.update({Image.phash: -1}).where(Image.id == image.id)
    assert await bands(image.id) == [(band, 0xFFFF) for band in range(4)]
    await Image.update({Image.phash: 0x0001_0002_0003_0004}).where(Image.id == image.id)
    assert await bands(image.id) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    await Image.update({Image.phash: None}).where(Image.id == image.id)
    assert await bands(image.id) == []
    await Image.update({Image.phash: 7, Image.status: ImageStatus.DELETING}).where(Image.id == image.id)
    await image_expiry.delete_rows([image.id])
    assert await bands(image.id) == []


async def test_an_account_takes_its_bands_along(owner: BaseUser) -> None:
    image = await an_image(owner, phash=-1)
    await BaseUser.delete().where(BaseUser.id == owner.id)
    assert await bands(image.id) == []
