"""Measure the main job on running sites: embedded, and as three apps on PostgreSQL, RabbitMQ and S3.

Accept latency is the time of `POST /api/images` until its response 202. Overhead is the median wall time of
a request that waits for its result, minus the CPU time of its render process. Stopping is measured during a
job, starting with the data of the runs before.
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
OVERHEAD_TARGET_MS = {"embedded": 15.0, "services": 25.0}
BIG_RSS_TARGET_MB = 200.0
STOP_TARGET_S, START_TARGET_S = 5.0, 3.0
MB = 1e6


class Result(Struct, kw_only=True):
    """The results of one site; times in milliseconds unless they end in _s, memory in megabytes."""

    accept_p50: float
    accept_p95: float
    jobs_per_s: float
    single_p50: float
    render_cpu: float
    overhead: float
    api_rss: float
    worker_rss: float
    big_rss: float
    stop_s: float
    start_s: float


def photograph() -> bytes:
    """Return a photograph of 2 megapixels as JPEG."""
    return (Path(skimage.__file__).parent / "data" / "retina.jpg").read_bytes()


def big_file() -> bytes:
    """Return the largest upload that is accepted."""
    buffer = BytesIO()
    with Image.open(BytesIO(photograph())) as photo:
        photo.resize(BIG_SIZE).save(buffer, "BMP")
    return buffer.getvalue()


async def measure(kind: Kind, directory: Path) -> Result:
    """Run all measurements on a new site."""
    photo = photograph()
    async with running_site(kind, directory, TICK_S="1") as site, account(site) as client:
        await together(lambda: finished(client, photo), 8, 2)  # warm up: render processes, connections
        latencies = [await timed(lambda: accept(client, photo)) for _ in range(SINGLE)]
        await drained(client)
        before = render_cpu_s(site)
        waited = [await timed(lambda: finished(client, photo)) for _ in range(SINGLE)]
        render_ms = (render_cpu_s(site) - before) * 1000 / SINGLE
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
            render_cpu=render_ms,
            overhead=statistics.median(waited) - render_ms,
            api_rss=api_rss,
            worker_rss=worker_rss,
            big_rss=big_rss,
            stop_s=stop_ms / 1000,
            start_s=start_ms / 1000,
        )


@asynccontextmanager
async def account(site: Site) -> AsyncGenerator[Client]:
    """Yield a client that is logged in."""
    async with Client(site) as client:
        await client.register()
        await client.login()
        yield client


async def accept(client: Client, photo: bytes) -> None:
    """Upload a photo; do not wait for its result."""
    answer = await client.upload(photo, OPERATIONS)
    assert answer.status == 202, answer


async def finished(client: Client, photo: bytes) -> None:
    """Upload a photo and wait for its result."""
    answer = await client.upload(photo, OPERATIONS, wait_s=60)
    assert answer.status == 201, answer


async def keep(client: Client, file: bytes) -> None:
    """Upload a file without operations, as an ephemeral image: it starts no job."""
    answer = await client.upload(file, filename="big.bmp", retention="ephemeral")
    assert answer.status == 201, answer


async def drained(client: Client) -> None:
    """Wait until no job is queued or running."""
    for status in ("queued", "running"):
        while (await client.get(f"/api/jobs?status={status}")).headers["X-Total-Count"] != "0":
            await asyncio.sleep(0.2)


async def timed(call: Callable[[], Awaitable[None]]) -> float:
    """Return how long a call takes, in milliseconds."""
    started = time.perf_counter()
    await call()
    return (time.perf_counter() - started) * 1000


async def together(call: Callable[[], Awaitable[None]], count: int, at_once: int) -> None:
    """Make `count` calls, at most `at_once` at a time."""
    free = asyncio.Semaphore(at_once)

    async def limited() -> None:
        async with free:
            await call()

    await asyncio.gather(*(limited() for _ in range(count)))


def process(site: Site, app: str) -> psutil.Process:
    """Return the process of an app; an embedded site has one process for all."""
    return psutil.Process(site.apps["serve" if site.kind == "embedded" else app].pid)


def render_cpu_s(site: Site) -> float:
    """Return the CPU time of the worker's render processes so far, in seconds."""
    times = [child.cpu_times() for child in process(site, "worker").children(recursive=True)]
    return sum(spent.user + spent.system for spent in times)


def peak_rss(process: psutil.Process) -> float:
    """Return the peak memory of a process, in megabytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / MB


def percentile(values: list[float], percent: int) -> float:
    """Return the percentile `percent` of the values."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def show(results: dict[Kind, Result]) -> None:
    """Print the results of all sites side by side, with the targets."""
    title = f"2 MP JPEG to 800 px JPEG; {MANY} uploads, {AT_ONCE} at once"
    table = Table("", *results, "target", title=title)

    def line(name: str, field: str, *, digits: int = 1, target: str = "") -> None:
        values = (f"{getattr(result, field):.{digits}f}" for result in results.values())
        table.add_row(name, *values, target)

    overhead_target = " / ".join(f"< {target:g}" for target in OVERHEAD_TARGET_MS.values())
    line("accept p50, ms", "accept_p50")
    line("accept p95, ms", "accept_p95")
    line("jobs/s", "jobs_per_s")
    line("one job, upload to result, p50 ms", "single_p50")
    line("render CPU per job, ms", "render_cpu")
    line("overhead per job, ms", "overhead", target=overhead_target)
    line("peak RSS API, MB", "api_rss", digits=0)
    line("peak RSS worker, MB", "worker_rss", digits=0)
    big = f"peak RSS API, {BIG_UPLOADS} x 50 MB, MB"
    line(big, "big_rss", digits=0, target=f"< {BIG_RSS_TARGET_MB:g}")
    line("stop while a job runs, s", "stop_s", target=f"< {STOP_TARGET_S:g}")
    line("start again, s", "start_s", target=f"< {START_TARGET_S:g}")
    Console().print(table)


async def main() -> None:
    """Measure both kinds of site and print one table."""
    results: dict[Kind, Result] = {}
    with tempfile.TemporaryDirectory() as directory:
        for kind in ("embedded", "services"):
            results[kind] = await measure(kind, Path(directory) / kind)
    show(results)


if __name__ == "__main__":
    asyncio.run(main())
