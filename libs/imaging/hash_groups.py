"""Group perceptual hashes: two are in one group if a chain of hashes connects them, each near to the next.

Hashes within a distance of d bits differ in at most d / n bits, rounded down, of one of any n parts of their
bits (the pigeonhole principle). So each part sorts the hashes into buckets, and a bucket is compared with
itself and with those whose key differs in so few bits: multi-index hashing (Norouzi, Punjani and Fleet, "Fast
Search in Hamming Space with Multi-Index Hashing", 2012). A large bucket is divided again by the bits in which
its own hashes differ, so many hashes that share some bits cost little more than others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.int64]
Keys: TypeAlias = NDArray[np.uint16]
Flags: TypeAlias = NDArray[np.bool_]

CROWDED = 1 << 20  # comparisons; a bucket with more is divided again
PAIRS_AT_ONCE = 1 << 20
KEY_BITS = 16  # of a part at most
SAMPLE = 1024  # hashes, to estimate how many pairs share a bucket
PROBE = 1.5  # comparisons that take as long as finding another bucket


@dataclass(frozen=True)
class Buckets:
    """Hashes in the order of their keys, which are some of their bits."""

    bits: int
    members: Numbers
    hashes: Hashes
    keys: Numbers
    starts: Numbers  # of each key
    sizes: Numbers

    @classmethod
    def by(cls, bits: Sequence[int], hashes: Hashes, members: Numbers) -> Self:
        """Sort the members by these bits of their hashes."""
        keys = _keys(hashes[members], bits)
        order = np.argsort(keys, kind="stable")
        sizes = np.bincount(keys, minlength=1 << len(bits))
        ordered = members[order]
        return cls(
            bits=len(bits),
            members=ordered,
            hashes=hashes[ordered],
            keys=keys[order].astype(np.int64),
            starts=np.cumsum(sizes) - sizes,
            sizes=sizes,
        )

    def of(self, key: int) -> Numbers:
        """Return the members of a bucket."""
        return self.members[self.starts[key] : self.starts[key] + self.sizes[key]]

    def crowded(self, rows: Flags) -> Flags:
        """Return the buckets in which too many comparisons wait: of these rows with all in their bucket."""
        return np.bincount(self.keys[rows], minlength=len(self.sizes)) * self.sizes > CROWDED

    def pairs(self, rows: Numbers, mask: int) -> Iterator[tuple[Numbers, Numbers]]:
        """Return the rows and all in the buckets whose keys differ by the mask, some pairs at a time."""
        other = self.keys[rows] ^ mask
        found = self.sizes[other] > 0
        rows, other = rows[found], other[found]
        starts, sizes = self.starts[other], self.sizes[other]
        for some in _at_once(sizes):
            yield np.repeat(rows[some], sizes[some]), _ranges(starts[some], sizes[some])


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
    parts = _parts(hashes[members], differing, distance)
    for bits in parts:
        buckets = Buckets.by(bits, hashes, members)
        crowded = buckets.crowded(_outside(parents, buckets.members))
        for key in np.flatnonzero(crowded).tolist():
            _connect(hashes, parents, buckets.of(key), distance)
        outside = _outside(parents, buckets.members)
        _compare(buckets, parents, np.flatnonzero(outside & ~crowded[buckets.keys]), 0, distance)
        for flips in range(1, distance // len(parts) + 1):
            outside = _outside(parents, buckets.members)
            few = 2 * np.count_nonzero(outside) < len(outside)
            for chosen in combinations(range(buckets.bits), flips):
                mask = sum(1 << bit for bit in chosen)
                one_of_each_pair = outside if few else buckets.keys & 1 << chosen[-1] == 0
                _compare(buckets, parents, np.flatnonzero(one_of_each_pair), mask, distance)


def _compare(buckets: Buckets, parents: Numbers, rows: Numbers, mask: int, distance: int) -> None:
    """Unite these rows with all that are near in the buckets whose keys differ by the mask."""
    for one, other in buckets.pairs(rows, mask):
        near = np.bitwise_count(buckets.hashes[one] ^ buckets.hashes[other]) <= distance
        _unite(parents, buckets.members[one[near]], buckets.members[other[near]])


def _outside(parents: Numbers, members: Numbers) -> Flags:
    """Return which members are not in the largest group: those in it need no comparison with each other."""
    root = _roots(parents, members)
    return root != np.bincount(root).argmax()


def _parts(values: Hashes, differing: Sequence[int], distance: int) -> list[Sequence[int]]:
    """Divide the bits so that comparisons are few: longer keys share a bucket less, but more are near."""
    sample = values[:: -(-len(values) // SAMPLE)]

    def cost(count: int) -> float:
        return sum(
            _probes(len(bits), distance // count) * (PROBE + _sharing(_keys(sample, bits)) * len(values))
            for bits in _divided(differing, count)
        )

    fewest = -(-len(differing) // KEY_BITS)
    best = min(range(fewest, max(fewest, distance + 1) + 1), key=cost)
    return _divided(differing, best)


def _divided(differing: Sequence[int], count: int) -> list[Sequence[int]]:
    return [differing[part::count] for part in range(count)]


def _probes(bits: int, flips: int) -> int:
    """Return how many keys differ in so few bits from one."""
    return sum(comb(bits, each) for each in range(flips + 1))


def _sharing(keys: Keys) -> float:
    """Estimate the probability that two hashes have the same key."""
    sizes = np.bincount(keys)
    return float((sizes * (sizes - 1)).sum()) / max(1, len(keys) * (len(keys) - 1))


def _keys(values: Hashes, bits: Sequence[int]) -> Keys:
    """Return these bits of each hash, side by side."""
    keys = np.zeros(len(values), dtype=np.uint16)
    for place, bit in enumerate(bits):
        keys |= ((values >> np.uint64(bit)) & np.uint64(1)).astype(np.uint16) << np.uint16(place)
    return keys


def _at_once(sizes: Numbers) -> Iterator[slice]:
    """Divide rows with so many comparisons each into slices that fit into memory."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        done = int(ends[first - 1]) if first else 0
        after = max(first + 1, int(np.searchsorted(ends, done + PAIRS_AT_ONCE, side="right")))
        yield slice(first, after)
        first = after


def _differing_bits(hashes: Hashes) -> Sequence[int]:
    """Return the places of the bits that are not the same in all hashes."""
    differing = int(np.bitwise_or.reduce(hashes ^ hashes[0]))
    return [bit for bit in range(64) if differing >> bit & 1]


def _ranges(starts: Numbers, sizes: Numbers) -> Numbers:
    """Return the numbers from each start on, as many as its size says."""
    before = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)


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
