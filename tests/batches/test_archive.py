"""The archive of a large batch: hundreds of megabytes through a process that holds none of them."""

import asyncio
import json
import tempfile
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil

from tests.batches.csv_files import accepted, done, products
from tests.support.client import Client
from tests.support.photo_server import PhotoServer

OPERATIONS = [
    {"op": "resize", "width": 2400, "height": 1600, "fit": "fill", "enlarge": True},
    {"op": "convert", "format": "bmp"},
]
BMP_BYTES = 2400 * 1600 * 3
ENTRIES = 20
READ_BYTES = 1_000_000
PAUSE_AT, PAUSE_S = 50_000_000, 0.5  # how far would it run ahead of its reader?
GROWTH_BYTES = 40_000_000


async def test_an_archive_of_hundreds_of_megabytes_takes_no_memory(
    photo_server: PhotoServer, client: Client, photo: Path
) -> None:
    url = photo_server.serve("/archived/photo.jpg", photo.read_bytes())
    batch = await accepted(client, products([[url]] * ENTRIES), operations=json.dumps(OPERATIONS))
    assert (await done(client, batch["id"]))["completed"] == ENTRIES
    api = psutil.Process(next(iter(client.site.apps.values())).pid)
    before = api.memory_info().rss
    most = size = 0
    with tempfile.TemporaryFile() as file:
        async for piece in archive(client, batch["id"]):
            file.write(piece)
            size += len(piece)
            most = max(most, api.memory_info().rss)
            if size - len(piece) < PAUSE_AT <= size:
                await asyncio.sleep(PAUSE_S)
        assert size > ENTRIES * BMP_BYTES
        with zipfile.ZipFile(file) as read:
            assert [one.file_size > BMP_BYTES for one in read.infolist()] == [True] * ENTRIES
    assert most - before < GROWTH_BYTES, f"{(most - before) / 1e6:.0f} MB more"


async def archive(client: Client, batch_id: str) -> AsyncIterator[bytes]:
    """Its bytes as they come."""
    headers = {"Authorization": f"Bearer {client.token}"}
    url = f"{client.site.url}/api/batches/{batch_id}/archive.zip"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert answer.status == 200
        async for piece in answer.content.iter_chunked(READ_BYTES):
            yield piece
