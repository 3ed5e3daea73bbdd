"""Measure what is stored already: renditions of 75 kB, beside the signed link to a result of that size."""

import asyncio
from pathlib import Path

from msgspec import Struct

from benchmarks.delivery.compare import CONNECTIONS, ROUNDS, SECONDS
from benchmarks.delivery.load import Load, put_load
from benchmarks.delivery.subjects import Darkroom
from tests.support.addresses import fetched, signed

PAGE = 100  # renditions, which a process remembers
WIDTHS = range(697, 701)
QUALITY = 80  # which makes 75 kB of a photograph of 2 megapixels
SIZES = range(60_000, 90_000)


class Target(Struct, frozen=True):
    """What is requested in turn."""

    name: str
    url: str
    paths: list[str]


async def targets(darkroom: Darkroom, photo: Path) -> list[Target]:
    """Store renditions and a result, and return their addresses.

    All renditions together are more than a process remembers: most are read from the object store.
    """
    many = [
        signed(f"w_{width},f_jpeg,q_{QUALITY}", image) for width in WIDTHS for image in darkroom.ids["small"]
    ]
    for path in many:
        answer = await fetched(darkroom.client, path, url=darkroom.url)
        assert answer.status == 200 and len(answer.body) in SIZES, answer  # noqa: PT018
    await _all_stored(darkroom, many)
    operations = [{"op": "resize", "width": 700}, {"op": "convert", "format": "jpeg", "quality": QUALITY}]
    stored = await darkroom.client.upload(photo, operations, wait_s=60, retention="keep")
    assert stored.status == 201, stored
    link = f"/api/images/{stored.json['id']}/link"
    address = (await darkroom.client.post(link, json={"expires_in": 3600})).json["url"]
    return [
        Target("signed link", darkroom.site.url, ["/" + address.split("/", 3)[3]]),
        Target("one rendition", darkroom.url, many[:1]),
        Target(f"{PAGE} renditions", darkroom.url, many[:PAGE]),
        Target(f"{len(many)} renditions", darkroom.url, many),
    ]


async def hits(folder: Path, found: list[Target]) -> list[list[Load]]:
    """Return the rounds of each target, measured in turns."""
    loads: list[list[Load]] = [[] for _ in found]
    for number in range(ROUNDS + 1):
        for target, rounds in zip(found, loads, strict=True):
            load = await put_load(
                folder, target.url, target.paths, connections=CONNECTIONS, seconds=SECONDS, misses=False
            )
            if number:  # the first warms up
                rounds.append(load)
    return loads


async def _all_stored(darkroom: Darkroom, paths: list[str]) -> None:
    """Wait until no answer is a miss."""
    for path in paths:
        while True:
            answer = await fetched(darkroom.client, path, method="HEAD", url=darkroom.url)
            if "; hit" in answer.headers["Cache-Status"]:
                break
            await asyncio.sleep(0.05)
