"""Group perceptual hashes: two are in one group if a chain of hashes connects them, each near to the next.

Hashes within a distance of d bits agree in at least one of any d + 1 parts of their bits (the pigeonhole
principle). So each part sorts the hashes into buckets, and only hashes of one bucket are compared. A large
bucket is split again by the bits in which its own hashes differ, so many hashes that share some bits cost
little more than others.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.int64]

SMALL_BUCKET = 64  # hashes; all small buckets are compared at once
LARGE_BUCKET = 4096  # hashes; a larger one is split again
PAIRS_AT_ONCE = 1 << 20
SORTING = 20.0  # comparisons that take as long as sorting one hash


class Group(NamedTuple):
    """Images that look alike, by their places in the input."""

    representative: int  # the one with the most pixels, then bytes, then the first
    members: tuple[int, ...]  # in the order of the input
    reclaimable_bytes: int  # of all but the representative


class Cursor(NamedTuple):
    """A place in the order of groups: what follows has fewer bytes, or as many and a later representative."""

    reclaimable_bytes: int
    first: int  # the first place that counts as later


def groups_page(
    hashes: bytes, pixels: bytes, sizes: bytes, *, max_distance: int, limit: int, after: Cursor | None
) -> tuple[int, list[Group]]:
    """Return how many groups of two or more there are, and a page of them.

    The group with the most reclaimable bytes comes first. All three inputs are signed 64-bit integers, an
    entry for each image.
    """
    values = np.frombuffer(hashes, dtype=np.int64).view(np.uint64)
    if not len(values):
        return 0, []
    labels = group_labels(values, max_distance)
    size = np.frombuffer(sizes, dtype=np.int64)
    places = np.arange(len(values))
    order = np.lexsort((-places, size, np.frombuffer(pixels, dtype=np.int64), labels))
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    best = order[ends - 1]
    reclaimable = np.add.reduceat(size[order], starts) - size[best]
    found = np.flatnonzero(ends - starts > 1)
    found = found[np.lexsort((best[found], -reclaimable[found]))]
    total = len(found)
    if after is not None:
        same = (reclaimable[found] == after.reclaimable_bytes) & (best[found] >= after.first)
        found = found[(reclaimable[found] < after.reclaimable_bytes) | same]
    return total, [
        Group(
            int(best[group]),
            tuple(np.sort(order[starts[group] : ends[group]]).tolist()),
            int(reclaimable[group]),
        )
        for group in found[:limit]
    ]


def group_labels(hashes: Hashes, max_distance: int) -> Numbers:
    """Return a number for each hash, the same for all hashes of a group."""
    distinct, places = np.unique(hashes, return_inverse=True)
    parents = np.arange(len(distinct))
    _connect(distinct, parents, parents.copy(), max_distance)
    return _roots(parents, parents.copy())[places]


def _connect(hashes: Hashes, parents: Numbers, members: Numbers, distance: int) -> None:
    """Unite all of the members that are within the distance of each other."""
    differing = _differing_bits(hashes[members])
    if len(differing) <= distance:
        _unite(parents, members[:-1], members[1:])
        return
    for mask in _masks(differing, distance, len(members)):
        keys = hashes[members] & mask
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(keys[order]) != 0))
        sizes = np.diff(np.append(starts, len(order)))
        ordered = members[order]
        _compare_small(hashes, parents, ordered, starts, sizes, distance)
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
            bucket = ordered[start : start + size]
            if size <= SMALL_BUCKET or _are_united(parents, bucket):
                continue
            if size <= LARGE_BUCKET:
                _compare_all(hashes, parents, bucket, distance)
            else:
                _connect(hashes, parents, bucket, distance)


def _masks(differing: Sequence[int], distance: int, count: int) -> list[np.uint64]:
    """Return sets of bits, in one of which any two hashes within the distance agree: the cheaper of two ways.

    Either the bits are divided into so many parts that one has no difference; or into half as many, of which
    one has a single difference at most, and then each of its bits is left out once.
    """
    whole = [sum(1 << bit for bit in differing[part :: distance + 1]) for part in range(distance + 1)]
    halves = (distance + 2) // 2
    but_one = [
        sum(1 << bit for bit in part) ^ 1 << left_out
        for part in (differing[start::halves] for start in range(halves))
        for left_out in part
    ]
    return [np.uint64(mask) for mask in min(whole, but_one, key=lambda masks: _cost(masks, count))]


def _cost(masks: Sequence[int], count: int) -> float:
    """Estimate the time for buckets of so many hashes by these masks, in comparisons."""
    return sum(SORTING * count + count**2 / 2 ** (mask.bit_count() + 1) for mask in masks)


def _differing_bits(hashes: Hashes) -> Sequence[int]:
    """Return the places of the bits that are not the same in all hashes."""
    differing = int(np.bitwise_or.reduce(hashes ^ hashes[0]))
    return [bit for bit in range(64) if differing >> bit & 1]


def _compare_small(
    hashes: Hashes, parents: Numbers, ordered: Numbers, starts: Numbers, sizes: Numbers, distance: int
) -> None:
    """Compare the members of each small bucket: with the next one, the one after it, and so on."""
    small = (sizes > 1) & (sizes <= SMALL_BUCKET)
    ends = np.repeat(starts[small] + sizes[small], sizes[small])
    places = _ranges(starts[small], sizes[small])
    step = 1
    while len(places):
        inside = places + step < ends
        places, ends = places[inside], ends[inside]
        one, other = ordered[places], ordered[places + step]
        near = np.bitwise_count(hashes[one] ^ hashes[other]) <= distance
        _unite(parents, one[near], other[near])
        step += 1


def _ranges(starts: Numbers, sizes: Numbers) -> Numbers:
    """Return the numbers from each start on, as many as its size says."""
    before = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)


def _compare_all(hashes: Hashes, parents: Numbers, bucket: Numbers, distance: int) -> None:
    """Compare all members of a bucket, but those of its largest group with each other."""
    values, at_once = hashes[bucket], max(1, PAIRS_AT_ONCE // len(bucket))
    _, group = np.unique(_roots(parents, bucket), return_inverse=True)
    joined = np.arange(len(bucket))  # the bucket's own groups, in a small array that stays in the cache
    left = np.ones(len(bucket), dtype=np.bool_)
    while True:
        root = _roots(joined, group)
        rows = np.flatnonzero(left & (root != np.bincount(root).argmax()))[:at_once]
        if not len(rows):
            break
        columns = np.flatnonzero(left)
        one, other = np.nonzero(np.bitwise_count(values[rows, None] ^ values[None, columns]) <= distance)
        left[rows] = False
        _unite(joined, group[rows[one]], group[columns[other]])
    _, first, place = np.unique(_roots(joined, group), return_index=True, return_inverse=True)
    _unite(parents, bucket, bucket[first[place]])


def _are_united(parents: Numbers, members: Numbers) -> bool:
    roots = _roots(parents, members)
    return bool((roots == roots[0]).all())


def _unite(parents: Numbers, one: Numbers, other: Numbers) -> None:
    """Unite pairs: each round puts a root below a smaller one, until the roots of every pair are the same."""
    while len(one):
        first, second = _roots(parents, one), _roots(parents, other)
        apart = first != second
        one, other = one[apart], other[apart]
        first, second = first[apart], second[apart]
        parents[np.maximum(first, second)] = np.minimum(first, second)


def _roots(parents: Numbers, members: Numbers) -> Numbers:
    """Return the root of each member, and shorten the way there."""
    roots = members
    while not np.array_equal(above := parents[roots], roots):
        parents[roots] = roots = parents[above]
    parents[members] = roots
    return roots
