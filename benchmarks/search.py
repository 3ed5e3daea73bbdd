"""Look-alikes among many images on PostgreSQL: `make bench-search`, `ROWS=10000000 make bench-search`.

The rows are filled in by the database; everything that is timed goes through the application's own query.
"""

import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

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
CLUSTERED = 5  # one image in so many is a variant of another
CHUNK = 500_000
SEED = 20_261_122

FILL = """
insert into phash_band (owner, band, value, phash, image)
select {}, band, (phash >> (48 - 16 * band)) & 65535, phash, gen_random_uuid()
from (select ((random() * 4294967295)::bigint << 32) # (random() * 4294967295)::bigint as phash
      from generate_series(1, {}) union all select unnest({}::bigint[])) as hashes, generate_series(0, 3) band
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
    for bit in source.sample(range(64), bits):
        center ^= 1 << bit
    return center


async def fill(owner: BaseUser, count: int, source: random.Random) -> list[int]:
    """Random hashes, and clusters of ten around others; the centres come back."""
    centers: list[int] = []
    await Image.raw("alter table image disable trigger image_phash_written")
    for start in range(0, count, CHUNK):
        chunk = min(CHUNK, count - start)
        some = [source.getrandbits(64) for _ in range(chunk // CLUSTERED // 10)]
        variants = [near(center, source.randrange(13), source) for center in some for _ in range(10)]
        signed = [signed64(f"{one:016x}") for one in variants]
        await Image.raw(FILL, owner.id, chunk - len(signed), signed)
        centers += some
        sys.stderr.write(f"\r{start + chunk} rows")
    await Image.raw(IMAGES)
    await Image.raw("alter table image enable trigger image_phash_written")
    for statement in ("vacuum analyze phash_band", "vacuum analyze image"):
        await Image.raw(statement)
    sys.stderr.write("\n")
    return centers


async def warm() -> None:
    """Read the index in, and tell how much the server may keep: what it may not is read from the disk."""
    await Image.raw("create extension if not exists pg_prewarm")
    (read,) = await rows(Image.raw("select pg_prewarm('phash_band_pkey') * 8192 as bytes"))
    (kept,) = await rows(Image.raw("show shared_buffers"))
    print(f"{read['bytes'] / 1e6:,.0f} MB of index read in, shared_buffers is {kept['shared_buffers']}")


async def timed(calls: Sequence[Callable[[], Awaitable[Any]]]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    took: list[float] = []
    for call in calls:
        begun = time.perf_counter()
        await call()
        took.append((time.perf_counter() - begun) * 1000)
    took.sort()
    return statistics.median(took), took[int(len(took) * 0.95)]


async def measure(owner: BaseUser, centers: Sequence[int], source: random.Random) -> None:
    print(f"{'distance':>8} {'p50 ms':>8} {'p95 ms':>8} {'scan p50':>9} {'times':>6} {'found':>6}")
    for distance in DISTANCES:
        chosen = [
            *source.sample(centers, QUERIES // 2),
            *(source.getrandbits(64) for _ in range(QUERIES // 2)),
        ]
        hashes = [signed64(f"{one:016x}") for one in chosen]
        found = 0

        async def search(phash: int, distance: int = distance) -> None:
            nonlocal found
            found += len(await phash_index.find(owner.id, phash, max_distance=distance, limit=20))

        async def scan(phash: int, distance: int = distance) -> None:
            await rows(Image.raw(SCAN, phash, owner.id, phash, distance))

        await timed([lambda one=one: search(one) for one in hashes[:50]])  # warm
        found = 0
        p50, p95 = await timed([lambda one=one: search(one) for one in hashes])
        scanned, _ = await timed([lambda one=one: scan(one) for one in hashes[:SCANS]])
        print(f"{distance:>8} {p50:>8.2f} {p95:>8.2f} {scanned:>9.0f} {scanned / p95:>6.0f} {found:>6}")


async def insert_cost(owner: BaseUser, source: random.Random) -> None:
    """One image a statement, with and without a hash: the difference is what the bands cost."""
    made = [
        [
            image_of(owner, phash=signed64(f"{source.getrandbits(64):016x}") if hashed else None)
            for _ in range(INSERTS)
        ]
        for hashed in (True, False)
    ]

    async def save(image: Image) -> None:
        await image.save()

    hashed, plain = [await timed([partial(save, one) for one in some]) for some in made]
    print(f"insert: p50 {hashed[0]:.2f} ms with a hash, {plain[0]:.2f} ms without")


async def main() -> None:
    """Fill, measure, print."""
    count = int(os.environ.get("ROWS", "1000000"))
    source = random.Random(SEED)  # noqa: S311
    async with own_database() as url, open_database(url) as engine:
        await migrate(engine)
        owner = await an_owner()
        centers = await fill(owner, count, source)
        (size,) = await rows(Image.raw("select pg_total_relation_size('phash_band') as bytes"))
        print(f"{count:,} images, {size['bytes'] / count:.0f} bytes of bands an image")
        await warm()
        await measure(owner, centers, source)
        await insert_cost(owner, source)


if __name__ == "__main__":
    asyncio.run(main())
