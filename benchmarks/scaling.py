"""Measure what docs/scaling.md computes with: `make bench-scale`.

The cost of a job in queries and messages, with few rows and with `ROWS` (1,000,000); the slowest query of
expiry and of the history's purge among them; `JOBS` (400) jobs on one and on two workers, a core for each;
and what one of each part carries by the page's formulas, with these costs.
"""

import asyncio
import logging
import os
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import psutil
import skimage
import structlog

from benchmarks.scaling_formulas import FORMULAS, carried
from libs.backends import Backends
from libs.contracts.enums import Retention
from libs.storage import image_expiry
from libs.storage.database.tables import BaseUser, Job, now
from libs.storage.history import History
from tests.storage.rows import an_owner
from tests.support.backends import opened_backends, submit, working
from tests.support.client import Client
from tests.support.migrated_database import migrated_database
from tests.support.query_costs import Counted, counting
from tests.support.services import own_bucket, own_vhost
from tests.support.site import running_site
from tests.support.site_jobs import accepted

ROWS = int(os.environ.get("ROWS") or 1_000_000)
JOBS = int(os.environ.get("JOBS", "400"))
FEW = 100
SAMPLES = 20
PURGE_STEPS = 200
EXPIRY_ROUNDS, EXPIRED_AT_ONCE = 20, 100
QUERY_TARGET_MS, RATIO_TARGET = 50.0, 1.8
PHOTO = Path(skimage.__file__).parent / "data" / "retina.jpg"
SMALL = [{"op": "resize", "width": 40}]
HEAVY = [{"op": "blur", "sigma": 8}, {"op": "resize", "width": 800}, {"op": "sharpen"}]

# A job and two images for each row. Half are older than the history's limit; half of these are purged: their
# images are gone. A hundredth of the images expires.
FILL = """
with made as (
  select number, gen_random_uuid() as source, gen_random_uuid() as result,
         now() - (number::float8 / $2 * 180) * interval '1 day' as at
  from generate_series(1, $2::integer) number
), images as (
  insert into image (id, owner, expiry_group, filename, object_key, format, mime, width, height, frames,
    size_bytes, md5, status, retention, expires_at, created_at, updated_at)
  select id, $1, source, 'a.jpg', id::text, 'jpeg', 'image/jpeg', 1, 1, 1, 1, md5(id::text), 'ready',
    case when number % 100 = 0 then 'ephemeral' else 'keep' end,
    case when number % 100 = 0 then now() end, at, at
  from made, lateral (values (source), (result)) ids (id)
)
insert into job (id, owner, kind, image, result, command, priority, status, attempts, crashes, publish_at,
  held, created_at, started_at, finished_at)
select encode(int8send((extract(epoch from at) * 1000)::bigint << 16)
  || decode(substr(md5(number::text), 1, 16), 'hex'), 'hex')::uuid, $1,
  'transform', case when number % 2 = 0 then source end, case when number % 2 = 0 then result end, '{}',
  'interactive', 'completed', 1, 0, at, false, at, at, at
from made
"""


async def fill(url: str, owner: BaseUser, count: int) -> None:
    """Add jobs that have ended, with their images, as the product would have."""
    connection = await cast("Any", asyncpg).connect(url)
    try:
        await connection.execute("set session_replication_role = replica")  # no checks of references
        await connection.execute(FILL, owner.id, count, timeout=3600)
        for table in ("image", "job"):
            await connection.execute(f"vacuum analyze {table}", timeout=3600)
    finally:
        await connection.close()


async def cost_of_a_job(backends: Backends, owner: BaseUser) -> tuple[Counted, float]:
    """Return what one job asks of database and broker, and the median time of its queries together, in ms."""
    counted, totals = Counted(), list[float]()
    async with working(backends), backends.broker.events("job.completed") as events:
        for number in range(SAMPLES + 1):
            with counting(backends) as counted:
                await submit(backends, owner, PHOTO, SMALL, Retention.EPHEMERAL)
                await asyncio.wait_for(anext(events), 60)
            if number:  # the first starts render processes
                totals.append(sum(query.ms for query in counted.queries))
    return counted, statistics.median(totals)


async def upkeep(backends: Backends) -> dict[str, Counted]:
    """Run steps of the purge and of expiry among all rows; return their queries."""
    history, before = History(), now() - timedelta(days=90)
    with counting(backends) as purged:
        for _ in range(PURGE_STEPS):
            await history.step(before)
    with counting(backends) as expired:
        for _ in range(EXPIRY_ROUNDS):
            await image_expiry.mark_expired(EXPIRED_AT_ONCE)
            marked = await image_expiry.list_deleting(EXPIRED_AT_ONCE)
            await image_expiry.delete_rows([image.id for image in marked])
    return {"history purge": purged, "expiry": expired}


async def measure_rows() -> dict[str, float]:
    """Print costs with few and with many rows, and the slowest query of the upkeep; return the costs."""
    measured: dict[str, float] = {}
    async with migrated_database() as url, own_vhost() as vhost:
        settings = {"DATABASE_URL": url, "BROKER_URL": vhost, "OBJECTS_URL": own_bucket()}
        with tempfile.TemporaryDirectory() as name:
            async with opened_backends(Path(name), **settings, QUOTA_BYTES="1000000000000") as backends:
                owner, working_for = await an_owner(), await an_owner()
                print(
                    f"{'rows':>10} {'queries':>8} {'commits':>8} {'messages':>9} {'files':>6} {'query ms':>9}"
                )
                for count in (FEW, ROWS):
                    await fill(url, owner, count)
                    counted, total_ms = await cost_of_a_job(backends, working_for)
                    print(
                        f"{await Job.count():>10,} {len(counted.queries):>8} {counted.commits:>8}"
                        f" {len(counted.messages):>9} {len(counted.transfers):>6} {total_ms:>9.1f}"
                    )
                    measured = {
                        "queries": len(counted.queries),
                        "query_ms": total_ms / len(counted.queries),
                        "commits": counted.commits,
                        "messages": len(counted.messages),
                        "transfers": len(counted.transfers),
                    }
                for name_of, counted in (await upkeep(backends)).items():
                    slowest = counted.slowest
                    print(
                        f"{name_of}: {len(counted.queries)} queries, the slowest {slowest.ms:.1f} ms"
                        f" (target {QUERY_TARGET_MS:.0f}): {' '.join(slowest.text.split())[:80]}"
                    )
    return measured


@asynccontextmanager
async def on_cores(pids: dict[int, int]) -> AsyncGenerator[None]:
    """Keep each process, with those that it starts, on a core of its own; the others move freely."""

    def pin() -> None:
        for pid, core in pids.items():
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                process.cpu_affinity([core])

    async def keep() -> None:
        while True:
            pin()
            await asyncio.sleep(1)

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()


async def jobs_per_s(workers: int) -> tuple[float, float]:
    """Queue all jobs while no worker runs, then start workers; return jobs a second and CPU seconds a job."""
    with tempfile.TemporaryDirectory() as name:
        settings = {"WORKER_CONCURRENCY": "1", "QUOTA_JOBS": "100000"}
        async with running_site("services", Path(name) / "site", **settings) as site, Client(site) as client:
            await client.register()
            await client.login()
            await site.stop("worker")
            photo = PHOTO.read_bytes()
            ids = [await accepted(client, photo, HEAVY) for _ in range(JOBS)]
            names = [f"worker-{number}" for number in range(workers)]
            pids = {(await site.start("worker", called=one)).pid: core for core, one in enumerate(names)}
            async with on_cores(pids):
                await until_done(client, ids[:10])  # they have started
                done, started, cpu_s = await unfinished(client), time.perf_counter(), cpu_of(pids)
                while left := await unfinished(client):
                    await asyncio.sleep(0.25)
                    if left <= JOBS // 20:
                        break  # the last ones leave a worker idle
                ended = done - left
                return ended / (time.perf_counter() - started), (cpu_of(pids) - cpu_s) / ended


def cpu_of(pids: Iterable[int]) -> float:
    """Return the CPU seconds of processes and of all that they have started."""
    families = [[psutil.Process(pid), *psutil.Process(pid).children(recursive=True)] for pid in pids]
    return sum(sum(one.cpu_times()[:2]) for family in families for one in family)


async def unfinished(client: Client) -> int:
    """Return how many jobs are queued or running."""
    counts = [
        (await client.get(f"/api/jobs?status={status}&kind=transform")).headers["X-Total-Count"]
        for status in ("queued", "running")
    ]
    return sum(map(int, counts))


async def until_done(client: Client, ids: Iterable[str]) -> None:
    """Wait until these jobs have ended."""
    for job_id in ids:
        await client.job_done(job_id)


async def main() -> None:
    """Print everything."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    measured = await measure_rows()
    if JOBS:
        measured["job_cpu_ms"] = await measure_workers()
    for part, jobs in carried(measured).items():
        print(f"{part}: {jobs:,.0f} jobs a second = {FORMULAS[part]}")


async def measure_workers() -> float:
    """Print the throughput of one and of two workers; return the milliseconds of CPU of a job on one."""
    (one, one_cpu), (two, two_cpu) = await jobs_per_s(1), await jobs_per_s(2)
    print(
        f"{JOBS} jobs: {one:.2f} a second on one worker, {two:.2f} on two, {two / one:.2f} times"
        f" (target {RATIO_TARGET})"
    )
    print(f"CPU of workers: {one_cpu * 1000:.0f} ms a job on one, {two_cpu * 1000:.0f} ms on two")
    return one_cpu * 1000


if __name__ == "__main__":
    asyncio.run(main())
