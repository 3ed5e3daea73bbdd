"""The main job, measured on running sites: embedded, and with three apps on PostgreSQL, RabbitMQ and S3.

Accept latency is that of `POST /api/images` up to its 202. Overhead is the median wall time of a request that
waits for its result, less the processor time that the children spent on one: all that is not pixels. Stopping
is measured in the middle of a job, and starting is that of a site which was there before.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import psutil
import skimage
from msgspec import Struct
from PIL import Image
from rich.console import Console
from rich.table import Table

from tests.support.client import Client
from tests.support.site import Kind, Site, running_site
from tests.support.site_jobs import ENDLESS, accepted, until_running

OPERATIONS = [{"op": "resize", "width": 800}, {"op": "convert", "format": "jpeg", "quality": 82}]
SINGLE = 100
MANY, AT_ONCE = 200, 8
BIG_UPLOADS, BIG_SIZE = 20, (4000, 4150)  # 49.8 MB as BMP
OVERHEAD_AIM_MS = {"embedded": 15.0, "services": 25.0}
BIG_RSS_AIM_MB = 200.0
STOP_AIM_S, START_AIM_S = 5.0, 3.0
MB = 1e6


class Result(Struct, kw_only=True):
    """One site's figures; times in milliseconds, memory in megabytes."""

    accept_p50: float
    accept_p95: float
    jobs_per_s: float
    single_p50: float
    child_cpu: float
    overhead: float
    api_rss: float
    worker_rss: float
    big_rss: float
    stop_s: float
    start_s: float


def photograph() -> bytes:
    """A photograph of 2 megapixels, as JPEG."""
    return (Path(skimage.__file__).parent / "data" / "retina.jpg").read_bytes()


def big_file() -> bytes:
    """The largest upload that is accepted."""
    buffer = BytesIO()
    with Image.open(BytesIO(photograph())) as photo:
        photo.resize(BIG_SIZE).save(buffer, "BMP")
    return buffer.getvalue()


async def measure(kind: Kind, directory: Path) -> Result:
    """Run all measurements on one fresh site."""
    photo = photograph()
    async with running_site(kind, directory, TICK_S="1") as site, account(site) as client:
        await together(lambda: finished(client, photo), 8, 2)  # warm: children, connections
        latencies = [await timed(lambda: accept(client, photo)) for _ in range(SINGLE)]
        await drained(client)
        before = child_cpu_s(site)
        waited = [await timed(lambda: finished(client, photo)) for _ in range(SINGLE)]
        child_ms = (child_cpu_s(site) - before) * 1000 / SINGLE
        started = time.perf_counter()
        await together(lambda: finished(client, photo), MANY, AT_ONCE)
        many_s = time.perf_counter() - started
        api, worker = process(site, "api"), process(site, "worker")
        api_rss, worker_rss = peak_rss(api), peak_rss(worker)
        big = big_file()
        await together(lambda: keep(client, big), BIG_UPLOADS, BIG_UPLOADS)
        big_rss = peak_rss(api)
        await until_running(client, await accepted(client, big, ENDLESS))
        stop_ms, start_ms = await timed(site.stop_all), await timed(site.start_all)
        return Result(
            accept_p50=statistics.median(latencies),
            accept_p95=percentile(latencies, 95),
            jobs_per_s=MANY / many_s,
            single_p50=statistics.median(waited),
            child_cpu=child_ms,
            overhead=statistics.median(waited) - child_ms,
            api_rss=api_rss,
            worker_rss=worker_rss,
            big_rss=big_rss,
            stop_s=stop_ms / 1000,
            start_s=start_ms / 1000,
        )


@asynccontextmanager
async def account(site: Site) -> AsyncGenerator[Client]:
    """A signed-in client."""
    async with Client(site) as client:
        await client.register()
        await client.login()
        yield client


async def accept(client: Client, photo: bytes) -> None:
    """Upload, and be told that it will be done."""
    answer = await client.upload(photo, OPERATIONS)
    assert answer.status == 202, answer


async def finished(client: Client, photo: bytes) -> None:
    """Upload, and wait for the result."""
    answer = await client.upload(photo, OPERATIONS, wait_s=60)
    assert answer.status == 201, answer


async def keep(client: Client, file: bytes) -> None:
    """Upload without operations, to be kept for a while only: no job follows."""
    answer = await client.upload(file, filename="big.bmp", retention="ephemeral")
    assert answer.status == 201, answer


async def drained(client: Client) -> None:
    """Until no job is left to do."""
    for status in ("queued", "running"):
        while (await client.get(f"/api/jobs?status={status}")).headers["X-Total-Count"] != "0":
            await asyncio.sleep(0.2)


async def timed(call: Callable[[], Awaitable[None]]) -> float:
    """How long one call takes, in milliseconds."""
    started = time.perf_counter()
    await call()
    return (time.perf_counter() - started) * 1000


async def together(call: Callable[[], Awaitable[None]], count: int, at_once: int) -> None:
    """`count` calls, `at_once` at any moment."""
    free = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with free:
            await call()

    await asyncio.gather(*(one() for _ in range(count)))


def process(site: Site, app: str) -> psutil.Process:
    """The process that is this app; embedded, all are one."""
    return psutil.Process(site.apps["serve" if site.kind == "embedded" else app].pid)


def child_cpu_s(site: Site) -> float:
    """Processor time that the worker's children have spent so far, in seconds."""
    times = [child.cpu_times() for child in process(site, "worker").children(recursive=True)]
    return sum(spent.user + spent.system for spent in times)


def peak_rss(process: psutil.Process) -> float:
    """The most memory that a process has held, in megabytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / MB


def percentile(values: list[float], percent: int) -> float:
    """The value that `percent` of all do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def show(results: dict[Kind, Result]) -> None:
    """Print the figures side by side, each aim beside its figure."""
    table = Table("", *results, "aim", title=f"2 MP JPEG to 800 px JPEG; {MANY} uploads, {AT_ONCE} at once")
    rows = [
        ("accept p50, ms", [f"{one.accept_p50:.1f}" for one in results.values()], ""),
        ("accept p95, ms", [f"{one.accept_p95:.1f}" for one in results.values()], ""),
        ("jobs/s", [f"{one.jobs_per_s:.1f}" for one in results.values()], ""),
        ("one job, upload to result, p50 ms", [f"{one.single_p50:.1f}" for one in results.values()], ""),
        ("child CPU a job, ms", [f"{one.child_cpu:.1f}" for one in results.values()], ""),
        ("overhead a job, ms", [f"{one.overhead:.1f}" for one in results.values()],
         " / ".join(f"< {aim:g}" for aim in OVERHEAD_AIM_MS.values())),
        ("peak RSS API, MB", [f"{one.api_rss:.0f}" for one in results.values()], ""),
        ("peak RSS worker, MB", [f"{one.worker_rss:.0f}" for one in results.values()], ""),
        (f"peak RSS API, {BIG_UPLOADS} x 50 MB, MB", [f"{one.big_rss:.0f}" for one in results.values()],
         f"< {BIG_RSS_AIM_MB:g}"),
        ("stop while a job runs, s", [f"{one.stop_s:.1f}" for one in results.values()], f"< {STOP_AIM_S:g}"),
        ("start again, s", [f"{one.start_s:.1f}" for one in results.values()], f"< {START_AIM_S:g}"),
    ]  # fmt: skip
    for name, figures, aim in rows:
        table.add_row(name, *figures, aim)
    Console().print(table)


async def main() -> None:
    """Measure both and print one table."""
    results: dict[Kind, Result] = {}
    with tempfile.TemporaryDirectory() as directory:
        for kind in ("embedded", "services"):
            results[kind] = await measure(kind, Path(directory) / kind)
    show(results)


if __name__ == "__main__":
    asyncio.run(main())
