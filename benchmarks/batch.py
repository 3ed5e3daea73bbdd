"""Measure a large CSV batch during interactive work: `make bench-batch`, `make bench-batch BATCH_ROWS=100`.

A local server serves JPEGs of 0.5 to 2 megapixels, each at its own URL; a row has two URLs. Measures the time
until the CSV file is accepted, images per second, the peak memory of each process, and the time of single
interactive transforms from upload to result: on an idle site, and while the same batch runs again.
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
from typing import Any

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

URLS_PER_ROW = 2
IDLE_TRANSFORMS = 40
SIZES = ((800, 640), (1000, 800), (1280, 960), (1400, 1050), (1600, 1250))  # 0.5 to 2 megapixels
ACCEPT_TARGET_MS = 300.0
SLOWDOWN_TARGET = 2.0


class Result(Struct, kw_only=True):
    """The results of one site; times in milliseconds, memory in megabytes."""

    accept: float
    images: int
    images_per_s: float
    bytes_before: int
    bytes_after: int
    idle_p95: float
    loaded_p95: float
    loaded_count: int
    rss: dict[str, float]


def pictures() -> list[bytes]:
    """Return a photograph as JPEG in each of `SIZES`."""
    files: list[bytes] = []
    with Image.open(Path(skimage.__file__).parent / "data" / "retina.jpg") as photo:
        for size in SIZES:
            buffer = io.BytesIO()
            photo.resize(size).save(buffer, "JPEG", quality=90)
            files.append(buffer.getvalue())
    return files


@asynccontextmanager
async def photo_server(photos: Sequence[bytes]) -> AsyncGenerator[int]:
    """Serve one of the photos at every path; yield the port."""

    async def respond(request: web.Request) -> web.Response:
        number = int(request.path.rpartition("/")[2].removesuffix(".jpg"))
        return web.Response(body=photos[number % len(photos)], content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/{path:.*}", respond)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, OUTSIDE, 0).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def csv_file(rows: int, port: int) -> bytes:
    """Return a CSV file in which every image has its own URL."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("S. No.", "Product Name", "Input Image Urls"))
    for row in range(rows):
        urls = [f"http://{OUTSIDE}:{port}/{row * URLS_PER_ROW + nth}.jpg" for nth in range(URLS_PER_ROW)]
        writer.writerow((row + 1, f"Product {row + 1}", ", ".join(urls)))
    return text.getvalue().encode()


async def accept(client: Client, file: bytes) -> tuple[str, float]:
    """Upload the file; return the batch's id and the milliseconds until the response 202."""
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(file), filename="products.csv", content_type="text/csv")
    started = time.perf_counter()
    answer = await client.post("/api/batches", data=form)
    took_ms = (time.perf_counter() - started) * 1000
    assert answer.status == 202, answer
    return answer.json["id"], took_ms


async def completed(client: Client, batch_id: str) -> dict[str, int]:
    """Wait until the batch has ended; return it."""
    while True:
        batch = (await client.get(f"/api/batches/{batch_id}?limit=0")).json
        if batch["status"] in ("Completed", "Failed"):
            return batch
        await asyncio.sleep(0.5)


async def timed_during(batch: asyncio.Task[Any], call: Callable[[], Awaitable[None]]) -> list[float]:
    """Repeat a call until the batch ends; return the milliseconds of each call that ended before it."""
    durations: list[float] = []
    while True:
        duration_ms = await timed(call)
        if batch.done():
            return durations
        durations.append(duration_ms)


def memory(site: Site) -> dict[str, float]:
    """Return the peak memory of each process of the site, and of its largest render process."""
    peaks: dict[str, float] = {}
    for name, app in site.apps.items():
        process = psutil.Process(app.pid)
        peaks[name] = peak_rss(process)
        child_peaks = [peak_rss(child) for child in process.children(recursive=True)]
        if child_peaks:
            peaks[f"{name}: largest of {len(child_peaks)} child processes"] = max(child_peaks)
    return peaks


async def measure(kind: Kind, directory: Path, rows: int) -> Result:
    """Run the batch on a new site."""
    photo = photograph()
    async with photo_server(pictures()) as port:
        opened = {"FETCH_PORTS": str(port), "FETCH_ALLOW_NETWORKS": ALLOWED}
        async with running_site(kind, directory, TICK_S="1", **opened) as site, account(site) as client:
            warm, _ = await accept(client, csv_file(4, port))
            await completed(client, warm)
            for _ in range(4):
                await finished(client, photo)
            idle = [await timed(lambda: finished(client, photo)) for _ in range(IDLE_TRANSFORMS)]
            batch_id, accept_ms = await accept(client, csv_file(rows, port))
            started = time.perf_counter()
            batch = await completed(client, batch_id)
            took_s = time.perf_counter() - started
            assert batch["completed"] == rows * URLS_PER_ROW, batch
            again, _ = await accept(client, csv_file(rows, port))
            running = asyncio.create_task(completed(client, again))
            slowed = await timed_during(running, lambda: finished(client, photo))
            assert await running
            return Result(
                accept=accept_ms,
                images=batch["completed"],
                images_per_s=batch["completed"] / took_s,
                bytes_before=batch["bytes_before"],
                bytes_after=batch["bytes_after"],
                idle_p95=percentile(idle, 95),
                loaded_p95=percentile(slowed, 95) if len(slowed) > 1 else float("nan"),
                loaded_count=len(slowed),
                rss=memory(site),
            )


def show(results: dict[Kind, Result], rows: int) -> None:
    """Print the results of all sites side by side, with the targets."""
    title = f"{rows} rows x {URLS_PER_ROW} URLs of 0.5 to 2 MP JPEGs; default operations"
    table = Table("", *results, "target", title=title)

    def line(name: str, text: Callable[[Result], str], target: str = "") -> None:
        table.add_row(name, *(text(result) for result in results.values()), target)

    line("accept, ms", lambda result: f"{result.accept:.0f}", f"< {ACCEPT_TARGET_MS:g} for 1,000 rows")
    line("images/s, alone", lambda result: f"{result.images_per_s:.1f}")
    line("bytes after / before", lambda result: f"{result.bytes_after / result.bytes_before:.0%}")
    line("interactive transform p95, idle, ms", lambda result: f"{result.idle_p95:.0f}")
    line("the same during a batch, ms", lambda result: f"{result.loaded_p95:.0f} ({result.loaded_count})")
    line("slowdown", lambda result: f"{result.loaded_p95 / result.idle_p95:.2f}", f"< {SLOWDOWN_TARGET:g}")
    for name in dict.fromkeys(name for result in results.values() for name in result.rss):
        peaks = (result.rss.get(name) for result in results.values())
        table.add_row(f"peak RSS {name}, MB", *("" if peak is None else f"{peak:.0f}" for peak in peaks))
    Console().print(table)


async def main() -> None:
    """Measure both kinds of site and print one table."""
    rows = int(os.environ.get("ROWS", "1000"))
    results: dict[Kind, Result] = {}
    with tempfile.TemporaryDirectory() as directory:
        for kind in ("embedded", "services"):
            results[kind] = await measure(kind, Path(directory) / kind, rows)
    show(results, rows)


if __name__ == "__main__":
    asyncio.run(main())
