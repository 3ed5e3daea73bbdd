"""Measure the search for similar images on PostgreSQL: `make bench-search ROWS=10000000`.

The database generates the rows; all timed searches use the application's own query.
"""

import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from libs.imaging.hashing import signed64
from libs.storage import phash_index
from libs.storage.database.connection import open_database
from libs.storage.database.engine import rows
from libs.storage.database.migrate import migrate
from libs.storage.database.tables import BaseUser, Image
from tests.storage.rows import an_owner, image_of
from tests.support.services import own_database

QUERIES, SCANS, INSERTS = 400, 5, 500
DISTANCES = (3, 7, 10)
VARIANT_SHARE = 5  # one image in this many is a variant of another
CHUNK = 500_000
SEED = 20_261_122

FILL = """
insert into phash_band (owner, band, value, phash, image)
select $1::integer, band, (phash >> (48 - 16 * band)) & 65535, phash, gen_random_uuid()
from (select ((random() * 4294967295)::bigint << 32) # (random() * 4294967295)::bigint as phash
      from generate_series(1, $2::integer) union all select unnest($3::bigint[])) as hashes,
     generate_series(0, 3) band
"""
IMAGES = """
insert into image (id, owner, expiry_group, filename, object_key, format, mime, width, height, frames,
  size_bytes, md5, phash, status, retention, created_at, updated_at)
select image, owner, image, 'a.jpg', image::text, 'jpeg', 'image/jpeg', 1, 1, 1, 1, md5(image::text),
  phash, 'ready', 'keep', now(), now()
from phash_band where band = 0
"""
SCAN = (
    "select id, bit_count((phash # {})::bit(64)) as distance from image where owner = {}"
    " and bit_count((phash # {})::bit(64)) <= {} order by distance, id limit 20"
)


def near(center: int, bits: int, source: random.Random) -> int:
    """Return a hash that differs from `center` in `bits` random bits."""
    for bit in source.sample(range(64), bits):
        center ^= 1 << bit
    return center


async def fill(owner: BaseUser, count: int, source: random.Random, url: str) -> list[int]:
    """Add images with random hashes and groups of ten similar hashes; return the centers of the groups.

    These statements take longer than those of the product may, so they have a connection of their own.
    """
    connection = await cast("Any", asyncpg).connect(url)
    try:
        return await _fill(owner, count, source, connection.execute)
    finally:
        await connection.close()


async def _fill(
    owner: BaseUser, count: int, source: random.Random, execute: Callable[..., Awaitable[Any]]
) -> list[int]:
    centers: list[int] = []
    await execute("alter table image disable trigger image_phash_written")
    for start in range(0, count, CHUNK):
        chunk = min(CHUNK, count - start)
        chunk_centers = [source.getrandbits(64) for _ in range(chunk // VARIANT_SHARE // 10)]
        variants = [near(center, source.randrange(13), source) for center in chunk_centers for _ in range(10)]
        signed = [signed64(f"{variant:016x}") for variant in variants]
        await execute(FILL, owner.id, chunk - len(signed), signed)
        centers += chunk_centers
        sys.stderr.write(f"\r{start + chunk} rows")
    await execute(IMAGES)
    await execute("alter table image enable trigger image_phash_written")
    for statement in ("vacuum analyze phash_band", "vacuum analyze image"):
        await execute(statement)
    sys.stderr.write("\n")
    return centers


async def warm() -> None:
    """Read the index into memory; print its size and that of the server's cache, which bounds what stays."""
    await Image.raw("create extension if not exists pg_prewarm")
    (read,) = await rows(Image.raw("select pg_prewarm('phash_band_pkey') * 8192 as bytes"))
    (kept,) = await rows(Image.raw("show shared_buffers"))
    print(f"{read['bytes'] / 1e6:,.0f} MB of index read, shared_buffers is {kept['shared_buffers']}")


async def timed(calls: Sequence[Callable[[], Awaitable[Any]]]) -> tuple[float, float]:
    """Return the median and the 95th percentile of the calls, in milliseconds."""
    durations: list[float] = []
    for call in calls:
        started = time.perf_counter()
        await call()
        durations.append((time.perf_counter() - started) * 1000)
    durations.sort()
    return statistics.median(durations), durations[int(len(durations) * 0.95)]


async def measure(owner: BaseUser, centers: Sequence[int], source: random.Random) -> None:
    """Print the times of indexed searches and of full scans, by distance."""
    print(f"{'distance':>8} {'p50 ms':>8} {'p95 ms':>8} {'scan p50':>9} {'times':>6} {'found':>6}")
    for distance in DISTANCES:
        chosen = [
            *source.sample(centers, QUERIES // 2),
            *(source.getrandbits(64) for _ in range(QUERIES // 2)),
        ]
        hashes = [signed64(f"{phash:016x}") for phash in chosen]
        found = 0

        async def search(phash: int, distance: int = distance) -> None:
            nonlocal found
            found += len(await phash_index.find(owner.id, phash, max_distance=distance, limit=20))

        async def scan(phash: int, distance: int = distance) -> None:
            await rows(Image.raw(SCAN, phash, owner.id, phash, distance))

        await timed([partial(search, phash) for phash in hashes[:50]])  # warm up
        found = 0
        p50, p95 = await timed([partial(search, phash) for phash in hashes])
        scanned, _ = await timed([partial(scan, phash) for phash in hashes[:SCANS]])
        print(f"{distance:>8} {p50:>8.2f} {p95:>8.2f} {scanned:>9.0f} {scanned / p95:>6.0f} {found:>6}")


async def insert_cost(owner: BaseUser, source: random.Random) -> None:
    """Print the time of one insert with and without a hash; the difference is the cost of the index."""
    image_sets = [
        [
            image_of(owner, phash=signed64(f"{source.getrandbits(64):016x}") if hashed else None)
            for _ in range(INSERTS)
        ]
        for hashed in (True, False)
    ]

    async def save(image: Image) -> None:
        await image.save()

    hashed, plain = [await timed([partial(save, image) for image in images]) for images in image_sets]
    print(f"insert: p50 {hashed[0]:.2f} ms with a hash, {plain[0]:.2f} ms without")


async def main() -> None:
    """Fill a new database, measure, and print the results."""
    count = int(os.environ.get("ROWS", "1000000"))
    source = random.Random(SEED)  # noqa: S311
    async with own_database() as url, open_database(url) as engine:
        await migrate(engine)
        owner = await an_owner()
        centers = await fill(owner, count, source, url)
        (size,) = await rows(Image.raw("select pg_total_relation_size('phash_band') as bytes"))
        print(f"{count:,} images, {size['bytes'] / count:.0f} bytes of index per image")
        await warm()
        await measure(owner, centers, source)
        await insert_cost(owner, source)


if __name__ == "__main__":
    asyncio.run(main())
