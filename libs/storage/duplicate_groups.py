"""Groups of images that are near-duplicates, directly or through a chain of other images."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from msgspec import Struct

from libs.storage.database.sqlite import hamming
from libs.storage.phash_index import HashedImage, probes


class DuplicateGroup(Struct, frozen=True, kw_only=True):
    """Near-duplicate images; the representative is the one with the most pixels."""

    representative: UUID
    images: tuple[UUID, ...]  # oldest first, with the representative
    reclaimable_bytes: int  # of all images but the representative


def find_groups(images: Sequence[HashedImage], max_distance: int) -> list[DuplicateGroup]:
    """Return the groups of two or more images, the one with the most reclaimable bytes first.

    Two images are in one group if a chain of images connects them in which neighbors differ in at most
    `max_distance` bits, which can be up to 11.
    """
    groups: defaultdict[int, list[HashedImage]] = defaultdict(list)
    parents = {image.phash: image.phash for image in images}
    for phash, other in _pairs(list(parents), max_distance):
        parents[_root(parents, phash)] = _root(parents, other)
    for image in images:
        groups[_root(parents, image.phash)].append(image)
    found = [_group_of(group) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda group: (-group.reclaimable_bytes, group.representative))


def _pairs(hashes: Sequence[int], max_distance: int) -> Iterator[tuple[int, int]]:
    """Yield all pairs within the distance, each at least once."""
    seen: defaultdict[int, list[int]] = defaultdict(list)
    for phash in hashes:
        for code in probes(phash, max_distance):
            for other in seen.get(code, ()):
                if hamming(phash, other) <= max_distance:
                    yield phash, other
        for code in probes(phash, 0):
            seen[code].append(phash)


def _root(parents: dict[int, int], phash: int) -> int:
    while parents[phash] != phash:
        parents[phash] = phash = parents[parents[phash]]
    return phash


def _group_of(images: Sequence[HashedImage]) -> DuplicateGroup:
    best = max(images, key=lambda image: (image.pixels, image.size_bytes, -image.id.int))
    return DuplicateGroup(
        representative=best.id,
        images=tuple(image.id for image in images),
        reclaimable_bytes=sum(image.size_bytes for image in images) - best.size_bytes,
    )
