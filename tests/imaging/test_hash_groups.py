"""Groups of perceptual hashes: those of brute force, soon, however the hashes are chosen."""

import random
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from libs.imaging import hash_groups
from libs.imaging.hash_groups import Cursor, Group, groups_page
from libs.imaging.hashing import signed64

ALL_BITS = (1 << 64) - 1
MANY = 100_000
SOON_S = 2.0  # of the processor


def near(center: int, bits: int, source: random.Random) -> int:
    for bit in source.sample(range(64), bits):
        center ^= 1 << bit
    return center


def groups_of(
    hashes: list[int],
    max_distance: int,
    *,
    pixels: list[int] | None = None,
    sizes: list[int] | None = None,
    limit: int = MANY,
    after: Cursor | None = None,
) -> list[Group]:
    ones = [1] * len(hashes)
    columns = (
        np.array(values, dtype=np.int64).tobytes()
        for values in (
            [signed64(f"{value & ALL_BITS:016x}") for value in hashes],
            pixels or ones,
            sizes or ones,
        )
    )
    _, found = groups_page(*columns, max_distance=max_distance, limit=limit, after=after)
    return found


def by_brute_force(hashes: NDArray[np.uint64], max_distance: int) -> set[frozenset[int]]:
    groups = {place: {place} for place in range(len(hashes))}
    near = np.bitwise_count(hashes[:, None] ^ hashes[None]) <= max_distance
    for one, other in np.argwhere(np.triu(near, 1)).tolist():
        if groups[one] is not groups[other]:
            groups[one] |= groups[other]
            for member in groups[other]:
                groups[member] = groups[one]
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def test_a_chain_of_look_alikes_is_one_group() -> None:
    chain = [0, 0b1111, 0b1111_1111, ALL_BITS, 0]
    [group] = groups_of(chain, 4, pixels=[1, 1, 9, 1, 1], sizes=[10, 10, 30, 10, 10])
    assert group == Group(representative=2, members=(0, 1, 2, 4), reclaimable_bytes=30)
    assert groups_of(chain, 0) == [Group(representative=0, members=(0, 4), reclaimable_bytes=1)]
    assert groups_of([], 4) == []


@pytest.mark.parametrize("max_distance", [0, 4, 7, 8, 11])
@pytest.mark.parametrize("shared_bits", [0, 44])
@pytest.mark.parametrize("crowded", [16, hash_groups.CROWDED])
def test_groups_are_those_of_brute_force(
    max_distance: int, shared_bits: int, crowded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_groups, "CROWDED", crowded)  # a small one divides buckets
    monkeypatch.setattr(hash_groups, "PAIRS_AT_ONCE", crowded)  # and what is compared at once
    source = random.Random(max_distance * 100 + shared_bits)  # noqa: S311
    centers = [source.getrandbits(64 - shared_bits) for _ in range(25)]
    hashes = [near(center, source.randrange(12), source) for center in centers for _ in range(6)]
    found = {frozenset(group.members) for group in groups_of(hashes, max_distance)}
    assert found == by_brute_force(np.array(hashes, dtype=np.uint64), max_distance)


@pytest.mark.parametrize("max_distance", [3, 4, 7, 8, 9, 10, 11])
@pytest.mark.parametrize("shared_bits", [0, 30])
def test_pairs_that_differ_in_just_so_many_bits_are_found_in_whichever_parts_these_are(
    max_distance: int, shared_bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_groups, "PROBE", 0)  # so that few hashes are divided as many are
    source = random.Random(max_distance)  # noqa: S311
    centers = [source.getrandbits(64 - shared_bits) for _ in range(2000)]
    hashes = np.array([[each, near(each, max_distance, source)] for each in centers], dtype=np.uint64).ravel()
    found = hash_groups.group_labels(hashes, max_distance)
    groups = {frozenset(np.flatnonzero(found == label).tolist()) for label in np.unique(found)}
    assert groups == by_brute_force(hashes, max_distance)


def test_pages_follow_one_another_and_hold_though_groups_are_gone() -> None:
    hashes = [place << 20 for place in range(30) for _ in range(2)]
    sizes = [5 if place < 40 else 7 for place in range(60)]
    everything = groups_of(hashes, 0, sizes=sizes)
    assert [group.reclaimable_bytes for group in everything] == [7] * 10 + [5] * 20
    last = everything[11]
    after = Cursor(last.reclaimable_bytes, last.representative + 1)
    assert groups_of(hashes, 0, sizes=sizes, limit=5, after=after) == everything[12:17]
    hashes[last.members[1]] = 1 << 60  # the group is gone
    assert groups_of(hashes, 0, sizes=sizes, limit=5, after=after) == everything[12:17]


@pytest.mark.parametrize(("shared", "max_distance"), [(0, 4), (16, 4), (40, 4), (0, 8), (0, 11)])
def test_a_hundred_thousand_hashes_are_grouped_soon_though_they_share_bits(
    shared: int, max_distance: int
) -> None:
    hashes = np.random.default_rng(shared).integers(0, 1 << (64 - shared), MANY, dtype=np.uint64)
    assert grouping_s(hashes, max_distance) < SOON_S


@pytest.mark.parametrize("max_distance", [4, 8, 11])
def test_a_hundred_thousand_hashes_are_grouped_soon_though_each_has_copies_close_by(
    max_distance: int,
) -> None:
    source = np.random.default_rng(1)
    hashes = np.repeat(source.integers(0, 1 << 64, MANY // 5, dtype=np.uint64), 5)
    flipped = np.uint64(1) << source.integers(0, 64, MANY, dtype=np.uint64)
    assert grouping_s(hashes ^ flipped, max_distance) < SOON_S


def grouping_s(hashes: NDArray[np.uint64], max_distance: int) -> float:
    ones = np.ones(len(hashes), dtype=np.int64).tobytes()
    began = time.process_time()
    groups_page(hashes.view(np.int64).tobytes(), ones, ones, max_distance=max_distance, limit=100, after=None)
    return time.process_time() - began
