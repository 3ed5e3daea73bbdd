"""Group images that look alike, directly or through others."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from msgspec import Struct

from libs.storage.database.sqlite import hamming
from libs.storage.phash_index import Hashed, probes


class Cluster(Struct, frozen=True, kw_only=True):
    """Images that look alike; keep the representative."""

    representative: UUID
    images: tuple[UUID, ...]  # oldest first, the representative among them
    reclaimable_bytes: int  # of all others


def clusters(images: Sequence[Hashed], max_distance: int) -> list[Cluster]:
    """Return groups of two or more images, those with most reclaimable bytes first.

    Two images are in one group if a chain of images leads from one to the other whose steps differ in at most
    `max_distance` bits; up to 11.
    """
    groups: defaultdict[int, list[Hashed]] = defaultdict(list)
    parents = {image.phash: image.phash for image in images}
    for one, other in _alike(list(parents), max_distance):
        parents[_root(parents, one)] = _root(parents, other)
    for image in images:
        groups[_root(parents, image.phash)].append(image)
    found = [_cluster(group) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda cluster: (-cluster.reclaimable_bytes, cluster.representative))


def _alike(hashes: Sequence[int], max_distance: int) -> Iterator[tuple[int, int]]:
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


def _cluster(group: Sequence[Hashed]) -> Cluster:
    best = max(group, key=lambda image: (image.pixels, image.size_bytes, -image.id.int))
    return Cluster(
        representative=best.id,
        images=tuple(image.id for image in group),
        reclaimable_bytes=sum(image.size_bytes for image in group) - best.size_bytes,
    )
