"""Attacks by large numbers: of similar hashes, and of event streams."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime

import aiohttp

from benchmarks.load.attack import Attack, Attacked, Effect, counted, random_bmp, repeating
from libs.storage.database.tables import new_ids
from tests.support.site_jobs import ENDLESS

SEARCHES = 6  # at once
LOOK_ALIKES = 100_000
SHARED_BITS = 16
STREAMS = 600
SMALL_SIDE = 4  # pixels
INSERT = """
insert into image (id, owner, expiry_group, filename, object_key, format, mime, width, height, frames,
  size_bytes, md5, phash, status, retention, created_at, updated_at)
select ?1, id, ?1, 'a.jpg', ?1, 'jpeg', 'image/jpeg', 1, 1, 1, 1, '0', ?2, 'ready', 'keep', ?3, ?3
from piccolo_user where username = ?4
"""


@asynccontextmanager
async def duplicates(attacked: Attacked) -> AsyncGenerator[Effect]:
    """Ask for duplicates again and again, of many images whose hashes share a band."""
    await asyncio.to_thread(_add_look_alikes, attacked)
    effect: Effect = {}

    async def search() -> None:
        counted(effect, (await attacked.attacker.get("/api/images/duplicates")).status)

    async with repeating(SEARCHES, search):
        yield effect


@asynccontextmanager
async def event_streams(attacked: Attacked) -> AsyncGenerator[Effect]:
    """Open streams of the events of one job, and keep them."""
    client, effect = attacked.attacker, Effect()
    photo = await client.upload(random_bmp(SMALL_SIDE), ENDLESS, filename="a.bmp")
    job = photo.json["job_id"]
    headers = {"Authorization": f"Bearer {client.token}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        streams: list[aiohttp.ClientResponse] = []
        for _ in range(STREAMS):
            stream = await session.get(f"{attacked.site.url}/api/jobs/{job}/events")
            counted(effect, stream.status)
            streams.append(stream)
        yield effect
        for stream in streams:
            stream.close()


def _add_look_alikes(attacked: Attacked) -> None:
    source, moment = random.Random(1), datetime.now(UTC).isoformat()  # noqa: S311
    rows = (
        (str(image), source.getrandbits(64 - SHARED_BITS), moment, attacked.attacker.username)
        for image, _ in zip(new_ids(), range(LOOK_ALIKES), strict=False)
    )
    path = attacked.site.directory / "data" / "darkroom.sqlite"
    with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
        connection.executemany(INSERT, rows)


ATTACKS = (
    Attack(name="duplicates", run=duplicates),
    Attack(name="event streams", run=event_streams),
)
