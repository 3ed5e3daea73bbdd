"""Counting, letting out and pausing, on each database."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from libs.backends import Backends
from libs.batches.create import CreateBatch, RetryBatch, create_batch, retry_batch
from libs.batches.throttle import NO_HOST, ThrottleRelease, host_of
from libs.contracts.enums import BatchStatus, ItemStatus, JobStatus
from libs.contracts.events import BatchCompleted
from libs.storage import batches, due_jobs, host_throttle, image_sources, jobs, leases
from libs.storage.database.engine import Engine, rows
from libs.storage.database.tables import BaseUser, Batch, HostPause, Job, ProductImage, WebhookDelivery, now
from libs.storage.job_failure import Failure
from libs.storage.leases import Claim
from tests.batches.csv_files import products
from tests.storage.rows import an_owner, claimed, image_of, job_row
from tests.support.backends import opened_backends

FAILURE = Failure("url_http_error", "status 404")


@pytest.fixture
async def backends(database: Engine, database_url: str, tmp_path: Path) -> AsyncIterator[Backends]:
    """Backends over the database of the test, which nobody works."""
    async with opened_backends(tmp_path, DATABASE_URL=database_url, BATCH_PER_HOST="2") as opened:
        yield opened


async def a_batch(backends: Backends, urls: list[str], *, hook: str | None = None) -> tuple[BaseUser, Batch]:
    owner = await an_owner()
    path = backends.scratch / "products.csv"
    path.write_bytes(products([[url] for url in urls]))
    command = CreateBatch(
        owner=owner, path=path, filename="products.csv", webhook_url=hook, request_id="test"
    )
    return owner, await create_batch(command, backends)


async def job_ids(batch: Batch) -> list[UUID]:
    return [job.id for job in await Job.objects().where(Job.batch == batch.id).order_by(Job.id)]


async def release(job_id: UUID) -> None:
    await Job.update({Job.held: False}).where(Job.id == job_id)


async def work(owner: BaseUser, job_id: UUID, *, fails: bool) -> BatchCompleted | None:
    """What a worker does with one job that was released, without the pixels."""
    await release(job_id)
    claim = await claimed(job_id)
    if fails:
        return await leases.fail(claim, FAILURE)
    image = image_of(owner, size_bytes=10)
    return await image_sources.complete(claim, image, None, followed_by=(), fetched_bytes=100)


async def batch_row(batch: Batch) -> Batch:
    return await batches.owned_by(batch.owner, batch.id)


async def test_many_who_end_jobs_at_once_count_exactly_and_one_ends_the_batch(backends: Backends) -> None:
    urls = [f"http://a.example/{nth}.jpg" for nth in range(40)]
    owner, batch = await a_batch(backends, [*urls, *urls[:20]], hook="http://hook.example/")
    assert batch.total == 60
    ids = await job_ids(batch)
    assert len(ids) == 40
    random.shuffle(ids)
    ended = await asyncio.gather(*(work(owner, one, fails=nth % 4 == 0) for nth, one in enumerate(ids)))
    assert len([one for one in ended if one is not None]) == 1
    row = await batch_row(batch)
    failed = len(await ProductImage.objects().where(ProductImage.status == ItemStatus.FAILED))
    assert (row.status, row.completed, row.failed) == (BatchStatus.COMPLETED, 60 - failed, failed)
    assert (row.bytes_before, row.bytes_after) == (3000, 300)  # each URL once
    assert row.finished_at is not None
    deliveries = await WebhookDelivery.objects().where(WebhookDelivery.subject == batch.id)
    assert [(one.event, one.url) for one in deliveries] == [("batch.completed", "http://hook.example/")]
    assert await WebhookDelivery.count() == 1


async def test_the_first_job_taken_begins_the_batch(backends: Backends) -> None:
    owner, batch = await a_batch(backends, ["http://a.example/1", "http://a.example/2"])
    assert (batch.status, batch.started_at) == (BatchStatus.PENDING, None)
    first, second = await job_ids(batch)
    await release(first)
    await claimed(first)
    begun = await batch_row(batch)
    assert begun.status == BatchStatus.IN_PROCESS
    assert await work(owner, second, fails=True) is None
    assert (await batch_row(batch)).started_at == begun.started_at


async def test_a_job_given_up_or_cancelled_counts_as_failed(backends: Backends) -> None:
    owner, batch = await a_batch(backends, ["http://a.example/1", "http://a.example/2"])
    lost, unwanted = await job_ids(batch)
    await release(lost)
    await leases.claim(lost, worker="a", lease_s=-1, max_attempts=1)
    gone, ended = await due_jobs.give_up(await job_row(lost), Failure("attempts_exhausted", "lost"))
    assert (gone, ended) == (True, None)
    _, ended = await jobs.cancel(owner.id, unwanted)
    assert ended is not None
    assert (ended.status, ended.failed, ended.owner) == (BatchStatus.FAILED, 2, owner.username)
    assert await batches.errors_of(batch.id) == {"attempts_exhausted": 1, "job_cancelled": 1}


async def test_two_who_retry_at_once_make_one_set_of_jobs(backends: Backends) -> None:
    urls = [f"http://a.example/{nth}" for nth in range(5)]
    owner, batch = await a_batch(backends, [*urls, urls[0]])
    for job_id in await job_ids(batch):
        await work(owner, job_id, fails=True)
    command = RetryBatch(owner=owner, batch=await batch_row(batch), request_id="again")
    await asyncio.gather(*(retry_batch(command, backends) for _ in range(3)))
    row = await batch_row(batch)
    assert (row.status, row.failed, row.completed) == (BatchStatus.IN_PROCESS, 0, 0)
    waiting = await Job.select(Job.id).where((Job.batch == batch.id) & (Job.status == JobStatus.QUEUED))
    assert len(waiting) == 5
    for job in waiting:
        await work(owner, job["id"], fails=False)
    row = await batch_row(batch)
    assert (row.status, row.failed, row.completed) == (BatchStatus.COMPLETED, 0, 6)


async def test_no_host_has_more_jobs_out_than_it_may(backends: Backends) -> None:
    urls = [f"http://{host}.example/{nth}" for host in ("a", "b") for nth in range(5)]
    _, batch = await a_batch(backends, [*urls, "http://A.example:80/again"])
    feeders = [ThrottleRelease() for _ in range(3)]
    for _ in range(5):
        await asyncio.gather(*(feeder.release(backends) for feeder in feeders))
    await feeders[0].release(backends)
    out = await Job.select(Job.host).where((Job.batch == batch.id) & (Job.held == False))  # noqa: E712
    assert sorted(row["host"] for row in out) == ["a.example"] * 2 + ["b.example"] * 2
    assert await feeders[0].release(backends) == 0


async def test_jobs_come_out_in_the_order_of_the_file(backends: Backends) -> None:
    _, batch = await a_batch(backends, [f"http://a.example/{nth}" for nth in range(5)])
    expected = await job_ids(batch)
    found = [job.id for job in await host_throttle.release("a.example", per_host=2)]
    while some := await host_throttle.release_next("a.example"):
        found += [job.id for job in some]
    assert found[2:] == expected[2:]
    assert set(found[:2]) == set(expected[:2])


async def test_the_sweep_leaves_held_jobs_alone_and_holds_those_of_a_lost_worker(
    backends: Backends,
) -> None:
    _, batch = await a_batch(backends, ["http://a.example/1", "http://a.example/2"])
    assert await due_jobs.take_due(10) == []
    [first, _] = await host_throttle.release("a.example", per_host=2)
    await claimed(first.id, lease_s=-1)
    [lapsed] = await due_jobs.take_due(10)
    assert await host_throttle.hold_lapsed(lapsed)
    assert not await host_throttle.hold_lapsed(lapsed)
    row = await job_row(first.id)
    assert (row.status, row.held, row.attempts) == (JobStatus.QUEUED, True, 1)
    assert await host_throttle.count_released(at_most=10) == 1
    assert (await batch_row(batch)).failed == 0


async def test_a_message_of_an_earlier_release_starts_no_fetch(backends: Backends) -> None:
    _, batch = await a_batch(backends, ["http://a.example/1"])
    [job_id] = await job_ids(batch)

    async def try_to_claim() -> Claim | None:
        return await leases.claim(job_id, worker="late", lease_s=60, max_attempts=5)

    assert await try_to_claim() is None  # held
    await host_throttle.release_next("a.example")
    await leases.release(await claimed(job_id))
    assert await try_to_claim() is None  # given back by a worker that stops
    await host_throttle.release_next("a.example")
    await claimed(job_id, lease_s=-1)
    assert await try_to_claim() is None  # its worker was lost: the scheduler holds it
    [lapsed] = await due_jobs.take_due(10)
    assert await host_throttle.hold_lapsed(lapsed)
    assert await try_to_claim() is None
    await host_throttle.release_next("a.example")
    assert await try_to_claim() is not None


async def test_a_paused_host_is_left_alone_until_its_time_is_over(backends: Backends) -> None:
    await a_batch(backends, ["http://a.example/1", "http://b.example/2"])
    later = now() + timedelta(hours=1)
    await asyncio.gather(
        *(host_throttle.pause("a.example", later - timedelta(minutes=one)) for one in range(4))
    )
    assert await host_throttle.hosts_with_room(per_host=2, after="", limit=10) == ["b.example"]
    assert await host_throttle.release_next("a.example") == []
    assert (await HostPause.objects())[0].until == later
    await HostPause.update({HostPause.until: now()}).where(HostPause.host == "a.example")
    assert await host_throttle.hosts_with_room(per_host=2, after="", limit=10) == ["a.example", "b.example"]
    assert await host_throttle.hosts_with_room(per_host=2, after="a.example", limit=10) == ["b.example"]
    assert await host_throttle.purge_pauses() == 1


async def test_a_start_with_an_empty_broker_parks_what_was_let_out(backends: Backends) -> None:
    await a_batch(backends, ["http://a.example/1", "http://a.example/2", "http://a.example/3"])
    running, queued = await host_throttle.release("a.example", per_host=2)
    await claimed(running.id)
    await due_jobs.publish_all_soon()
    assert (await job_row(queued.id)).held
    assert [job.id for job in await due_jobs.take_due(10)] == [running.id]


async def test_a_large_batch_takes_few_statements_and_searches_use_their_indexes(backends: Backends) -> None:
    urls = [f"http://h{nth % 7}.example/{nth}" for nth in range(3000)]
    await a_batch(backends, urls)
    postgres = backends.settings.database_url.startswith("postgres")
    if postgres:
        await Job.raw("analyze job")
    explain = "explain " if postgres else "explain query plan "
    moment = now()
    one = host_throttle.RELEASE.replace("LIMIT", "1")
    plan = str(await rows(Job.raw(explain + one, moment, "h1.example", moment, "h1.example", moment)))
    assert "job_held" in plan
    plan = str(await rows(Job.raw(explain + host_throttle.HOSTS_WITH_ROOM, "", 4, moment, moment, 10)))
    assert "job_held" in plan


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://A.Example.:8080/x", "a.example"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("http://[::1]:80/", "::1"),
        ("DATA:image/png;base64,AA", NO_HOST),
    ],
)
def test_spellings_of_one_host_are_one(url: str, host: str) -> None:
    assert host_of(url) == host
