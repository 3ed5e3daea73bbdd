"""CSV files to send, the pictures that they name, and the batches that they become."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import aiohttp

from tests.support.client import Answer, Client
from tests.support.photo_server import PhotoServer, picture
from tests.support.site_contents import assert_untrusted
from tests.support.waiting import WAIT_S

HEADER = ("S. No.", "Product Name", "Input Image Urls")
ENDED = ("Completed", "Failed")
COLOURS = ("red", "green", "blue", "orange", "purple", "black", "white", "yellow", "brown", "pink")


def sheet(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, **options: Any) -> bytes:
    """Products, one a row: serial number, name, URLs."""
    text = io.StringIO()
    writer = csv.writer(text, **options)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def products(urls: Sequence[Sequence[str]]) -> bytes:
    """A product for each group of URLs."""
    return sheet([(str(nth), f"Product {nth}", ", ".join(some)) for nth, some in enumerate(urls, 1)])


async def send(
    client: Client, file: bytes, *, headers: Mapping[str, str] | None = None, **fields: str
) -> Answer:
    """`POST /api/batches`."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("file", io.BytesIO(file), filename="products.csv", content_type="text/csv")
    return await client.post("/api/batches", data=form, headers=headers)


async def accepted(
    client: Client, file: bytes, *, headers: Mapping[str, str] | None = None, **fields: str
) -> dict[str, Any]:
    answer = await send(client, file, headers=headers, **fields)
    assert answer.status == 202, answer
    return answer.json


async def events_of(client: Client, batch_id: str) -> AsyncGenerator[dict[str, Any]]:
    """Yield the events of a batch until its stream closes."""
    async with (
        asyncio.timeout(2 * WAIT_S),
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {client.token}"}) as session,
        session.get(f"{client.site.url}/api/batches/{batch_id}/events") as stream,
    ):
        assert stream.status == 200, await stream.text()
        async for line in stream.content:
            if line.startswith(b"data:"):
                yield json.loads(line[5:])


async def done(client: Client, batch_id: str) -> dict[str, Any]:
    """Return the batch once it has ended, with its first items."""
    last = [event async for event in events_of(client, batch_id)][-1]
    assert last["status"] in ENDED, last
    return await detail(client, batch_id)


async def detail(client: Client, batch_id: str, query: str = "limit=100") -> dict[str, Any]:
    answer = await client.get(f"/api/batches/{batch_id}?{query}")
    assert answer.status == 200, answer
    return answer.json


async def output_rows(client: Client, batch_id: str) -> list[dict[str, str]]:
    """`output.csv`, as Python's csv reads it."""
    answer = await client.get(f"/api/batches/{batch_id}/output.csv")
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert_untrusted(answer)
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


def served(photo_server: PhotoServer, count: int, *, prefix: str) -> list[str]:
    """Different pictures; every tenth is missing."""
    found: list[str] = []
    for nth in range(count):
        path = f"/{prefix}/{nth}.jpg"
        if nth % 10 == 7:
            found.append(photo_server.url(f"/status/404/{prefix}/{nth}.jpg"))
        else:
            found.append(photo_server.serve(path, picture(COLOURS[nth % 10], size=(40 + nth // 10, 32))))
    return found
