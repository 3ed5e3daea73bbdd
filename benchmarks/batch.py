"""A large CSV batch beside interactive work: `make bench-batch`, `make bench-batch BATCH_ROWS=100`.

A local server hands out JPEGs of 0.5 to 2 megapixels, each under a URL of its own, two a row. Measured are
the time until the file is accepted, images a second, the most memory that each process held, and how long
single interactive transforms take, one after another, upload to result: on the idle site, and while the same
batch runs again.
"""

import asyncio
import csv
import io
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import skimage
from aiohttp import web
from msgspec import Struct
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.main_job import account, finished, peak_rss, percentile, photograph, timed
from tests.support.client import Client
from tests.support.photo_server import ALLOWED, OUTSIDE
from tests.support.site import Kind, Site, running_site

URLS_A_ROW = 2
IDLE_TRANSFORMS = 40
SIZES = ((800, 640), (1000, 800), (1280, 960), (1400, 1050), (1600, 1250))  # 0.5 to 2 megapixels
ACCEPT_AIM_MS = 300.0
SLOWER_AIM = 2.0


class Result(Struct, kw_only=True):
    """One site's figures; times in milliseconds, memory in megabytes."""

    accept: float
    images: int
    images_per_s: float
    bytes_before: int
    bytes_after: int
    idle_p95: float
    beside_p95: float
    beside_count: int
    rss: dict[str, float]


def pictures() -> list[bytes]:
    """A photograph in several sizes, as JPEG."""
    found: list[bytes] = []
    with Image.open(Path(skimage.__file__).parent / "data" / "retina.jpg") as photo:
        for size in SIZES:
            buffer = io.BytesIO()
            photo.resize(size).save(buffer, "JPEG", quality=90)
            found.append(buffer.getvalue())
    return found


@asynccontextmanager
async def photo_server(photos: Sequence[bytes]) -> AsyncGenerator[int]:
    """Serves one of the photos at every path; the port."""

    async def answer(request: web.Request) -> web.Response:
        number = int(request.path.rpartition("/")[2].removesuffix(".jpg"))
        return web.Response(body=photos[number % len(photos)], content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, OUTSIDE, 0).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def sheet(rows: int, port: int) -> bytes:
    """The CSV file: a URL of its own for every image."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("S. No.", "Product Name", "Input Image Urls"))
    for row in range(rows):
        urls = [f"http://{OUTSIDE}:{port}/{row * URLS_A_ROW + nth}.jpg" for nth in range(URLS_A_ROW)]
        writer.writerow((row + 1, f"Product {row + 1}", ", ".join(urls)))
    return text.getvalue().encode()


async def accept(client: Client, file: bytes) -> tuple[str, float]:
    """Upload the file; the batch, and the milliseconds until its 202."""
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(file), filename="products.csv", content_type="text/csv")
    started = time.perf_counter()
    answer = await client.post("/api/batches", data=form)
    took_ms = (time.perf_counter() - started) * 1000
    assert answer.status == 202, answer
    return answer.json["id"], took_ms


async def ended(client: Client, batch_id: str) -> dict[str, int]:
    """The batch once it has ended."""
    while True:
        batch = (await client.get(f"/api/batches/{batch_id}?limit=0")).json
        if batch["status"] in ("Completed", "Failed"):
            return batch
        await asyncio.sleep(0.5)


async def beside(call: Callable[[], Awaitable[None]], batch: asyncio.Task[dict[str, int]]) -> list[float]:
    """One call after another until the batch has ended; milliseconds of each that ran beside it whole."""
    took: list[float] = []
    while True:
        one = await timed(call)
        if batch.done():
            return took
        took.append(one)


def memory(site: Site) -> dict[str, float]:
    """The most that each process of the site has held, children apart."""
    found: dict[str, float] = {}
    for name, app in site.apps.items():
        process = psutil.Process(app.pid)
        found[name] = peak_rss(process)
        below = [peak_rss(one) for one in process.children(recursive=True)]
        if below:
            found[f"{name}: largest of {len(below)} children"] = max(below)
    return found


async def measure(kind: Kind, directory: Path, rows: int) -> Result:
    """Run the batch on one fresh site."""
    photo = photograph()
    async with photo_server(pictures()) as port:
        opened = {"FETCH_PORTS": str(port), "FETCH_ALLOW_NETWORKS": ALLOWED}
        async with running_site(kind, directory, TICK_S="1", **opened) as site, account(site) as client:
            warm, _ = await accept(client, sheet(4, port))
            await ended(client, warm)
            for _ in range(4):
                await finished(client, photo)
            idle = [await timed(lambda: finished(client, photo)) for _ in range(IDLE_TRANSFORMS)]
            batch_id, accept_ms = await accept(client, sheet(rows, port))
            started = time.perf_counter()
            batch = await ended(client, batch_id)
            took_s = time.perf_counter() - started
            assert batch["completed"] == rows * URLS_A_ROW, batch
            again, _ = await accept(client, sheet(rows, port))
            running = asyncio.create_task(ended(client, again))
            slowed = await beside(lambda: finished(client, photo), running)
            assert await running
            return Result(
                accept=accept_ms,
                images=batch["completed"],
                images_per_s=batch["completed"] / took_s,
                bytes_before=batch["bytes_before"],
                bytes_after=batch["bytes_after"],
                idle_p95=percentile(idle, 95),
                beside_p95=percentile(slowed, 95) if len(slowed) > 1 else float("nan"),
                beside_count=len(slowed),
                rss=memory(site),
            )


def show(results: dict[Kind, Result], rows: int) -> None:
    """Print the figures side by side, each aim beside its figure."""
    title = f"{rows} rows x {URLS_A_ROW} URLs of 0.5 to 2 MP JPEGs; default operations"
    table = Table("", *results, "aim", title=title)

    def line(name: str, tell: Callable[[Result], str], aim: str = "") -> None:
        table.add_row(name, *(tell(one) for one in results.values()), aim)

    line("accept, ms", lambda one: f"{one.accept:.0f}", f"< {ACCEPT_AIM_MS:g} for 1,000 rows")
    line("images/s, alone", lambda one: f"{one.images_per_s:.1f}")
    line("bytes after, of those before", lambda one: f"{one.bytes_after / one.bytes_before:.0%}")
    line("interactive transform p95, idle, ms", lambda one: f"{one.idle_p95:.0f}")
    line("the same beside the batch, ms", lambda one: f"{one.beside_p95:.0f} ({one.beside_count})")
    line("slower by", lambda one: f"{one.beside_p95 / one.idle_p95:.2f}", f"< {SLOWER_AIM:g}")
    for name in dict.fromkeys(name for one in results.values() for name in one.rss):
        line(f"peak RSS {name}, MB", lambda one, name=name: f"{one.rss[name]:.0f}" if name in one.rss else "")
    Console().print(table)


async def main() -> None:
    """Measure both and print one table."""
    rows = int(os.environ.get("ROWS", "1000"))
    results: dict[Kind, Result] = {}
    with tempfile.TemporaryDirectory() as directory:
        for kind in ("embedded", "services"):
            results[kind] = await measure(kind, Path(directory) / kind, rows)
    show(results, rows)


if __name__ == "__main__":
    asyncio.run(main())
