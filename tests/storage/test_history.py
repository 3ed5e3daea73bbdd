"""Old history goes in small steps; what an image shows, and what is not over, stays."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.enums import BatchStatus, CallState, ItemStatus, JobKind, JobStatus
from libs.storage import batch_history, batches, history, images
from libs.storage.batches import NewJob
from libs.storage.database.connection import transaction
from libs.storage.database.engine import Engine
from libs.storage.database.tables import (
    AcceptedOrder,
    BaseUser,
    Batch,
    EditCall,
    Image,
    Job,
    ProductImage,
    Reply,
    first_id_since,
    new_id,
    now,
)
from libs.storage.history import History
from libs.storage.image_errors import ImageFailed
from tests.storage.rows import a_job, an_image, an_owner

OLD = timedelta(days=100)
KEPT_FOR = timedelta(days=90)


@pytest.fixture
async def owner(database: Engine) -> BaseUser:
    return await an_owner()


def id_at(moment: datetime) -> UUID:
    return UUID(int=first_id_since(moment).int | new_id().int & (1 << 80) - 1)


async def an_ended_job(owner: BaseUser, image: Image, ago: timedelta = OLD, **values: Any) -> Job:
    moment = now() - ago
    ordinary = {"status": JobStatus.COMPLETED, "created_at": moment, "finished_at": moment}
    return await a_job(owner, image, id=id_at(moment), **(ordinary | values))


async def an_order(owner: BaseUser, job: Job, *, outcome: Job | None = None) -> AcceptedOrder:
    moment, last = job.created_at, outcome or job
    order = AcceptedOrder(id=id_at(moment), owner=owner.id, job=job.id, outcome=last.id, created_at=moment)
    await order.save()
    return order


async def walk(walker: History | None = None) -> None:
    walker = walker or History()
    while await walker.step(now() - KEPT_FOR) is not None:
        pass


async def a_batch(owner: BaseUser, ago: timedelta = OLD, *, items: int = 3, **values: Any) -> Batch:
    """Store a batch of completed items, the last of which failed; each has an image and a job."""
    moment = now() - ago
    ended: dict[str, Any] = {"status": BatchStatus.COMPLETED, "created_at": moment, "finished_at": moment}
    counts: dict[str, Any] = {"total": items, "completed": items - 1, "failed": 1}
    batch = Batch(id=id_at(moment), owner=owner.id, filename="products.csv", **counts, **(ended | values))
    await batch.save()
    for nth in range(items):
        failed = nth == items - 1
        output = await an_image(owner)
        job = await an_ended_job(
            owner, output, ago, kind=JobKind.INGEST, batch=batch.id, result=None if failed else output.id
        )
        await ProductImage(
            id=id_at(moment + timedelta(seconds=nth)),
            batch=batch.id,
            serial_number=nth,
            product_name="cup",
            position=0,
            input_url=f"http://a.example/{nth}.jpg",
            job=job.id,
            output=None if failed else output.id,
            status=ItemStatus.FAILED if failed else ItemStatus.COMPLETED,
        ).save()
    return batch


async def batches_left() -> dict[UUID, int]:
    """Count the items of every batch."""
    counts = {row["id"]: 0 for row in await Batch.select(Batch.id)}
    for row in await ProductImage.select(ProductImage.batch):
        counts[row["batch"]] += 1
    return counts


async def left() -> set[UUID]:
    return {row["id"] for table in (Job, AcceptedOrder, EditCall) for row in await table.select(table.id)}


async def test_what_ended_long_ago_goes_with_its_order_and_its_call(owner: BaseUser) -> None:
    image = await an_image(owner)
    old = await an_ended_job(owner, image, status=JobStatus.FAILED)
    order = await an_order(owner, old)
    await EditCall(id=old.id, state=CallState.ANSWERED, calls=1, attempt=1, started_at=old.created_at).save()
    recent = await an_ended_job(owner, image, timedelta(days=80))
    recent_order = await an_order(owner, recent)
    assert await left() == {old.id, order.id, recent.id, recent_order.id}
    await walk()
    assert await left() == {recent.id, recent_order.id}


async def test_an_unfinished_job_and_an_order_whose_reply_waits_stay(owner: BaseUser) -> None:
    image = await an_image(owner)
    queued = await an_ended_job(owner, image, status=JobStatus.QUEUED, finished_at=None)
    late = await an_ended_job(owner, image, finished_at=now(), status=JobStatus.CANCELLED)
    ended = await an_ended_job(owner, await an_image(owner))
    orders = [await an_order(owner, job) for job in (queued, ended)]
    await Reply(order=orders[1].id, reply_to="q").save()
    await walk()
    assert await left() == {queued.id, late.id, ended.id, *(order.id for order in orders)}


async def test_both_jobs_of_an_order_stay_as_long_as_the_order(owner: BaseUser) -> None:
    ingest = await an_ended_job(owner, await an_image(owner), kind=JobKind.INGEST)
    describe = await an_ended_job(owner, await an_image(owner), kind=JobKind.DESCRIBE)
    order = await an_order(owner, ingest, outcome=describe)
    reply = Reply(order=order.id, reply_to="q")
    await reply.save()
    await walk()
    assert await left() == {ingest.id, describe.id, order.id}
    await reply.remove()
    await walk()
    assert await left() == set()


async def test_the_failure_that_an_image_shows_outlives_the_history(owner: BaseUser) -> None:
    image = await an_image(owner)
    for days in (130, 120):
        newest = await an_ended_job(owner, image, timedelta(days=days), status=JobStatus.FAILED)
    await walk()
    assert await left() == {newest.id}
    with pytest.raises(ImageFailed):
        await images.latest_of(image.owner, image.id)


async def test_the_result_that_an_image_shows_outlives_the_history(owner: BaseUser) -> None:
    image = await an_image(owner)
    for days in (130, 120):
        result = await an_image(owner, parent=image.id)
        newest = await an_ended_job(owner, image, timedelta(days=days), result=result.id)
    cancelled = await an_ended_job(owner, image, status=JobStatus.CANCELLED)
    assert len(await left()) == 3
    await walk()
    assert await left() == {newest.id}
    assert (await images.latest_of(image.owner, image.id)).id == newest.result
    assert cancelled.id not in await left()
    await Image.delete().where(Image.id == image.id)
    await walk()
    assert await left() == set()


async def test_a_step_looks_at_a_few_rows_and_goes_on_from_there(
    owner: BaseUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "STEP", 4)
    image = await an_image(owner)
    for _ in range(10):
        await an_ended_job(owner, image, status=JobStatus.CANCELLED)
    walker, counts = History(), list[int]()
    while (count := await walker.step(now() - KEPT_FOR)) is not None:
        counts.append(count)
    assert max(counts) == 4
    assert sum(counts) == 10


async def test_a_batch_that_ended_long_ago_goes_with_its_items_and_its_images_stay(owner: BaseUser) -> None:
    old = await a_batch(owner)
    recent = await a_batch(owner, timedelta(days=80))
    ended_late = await a_batch(owner, finished_at=now() - timedelta(days=80))
    unfinished = await a_batch(owner, status=BatchStatus.IN_PROCESS, finished_at=None)
    image_ids = await Image.select(Image.id)
    shown = {
        row["id"] for row in await Job.select(Job.id).where((Job.batch == old.id) & Job.result.is_not_null())
    }
    assert len(await batches_left()) == 4
    await walk()
    assert await batches_left() == {recent.id: 3, ended_late.id: 3, unfinished.id: 3}
    assert await Image.select(Image.id) == image_ids
    assert {row["id"] for row in await Job.select(Job.id).where(Job.batch.is_null())} == shown


async def test_a_large_batch_goes_in_small_steps(owner: BaseUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "STEP", 4)
    await a_batch(owner, items=10)
    walker, items = History(), [10]
    while await walker.step(now() - KEPT_FOR) is not None:
        items.append(sum((await batches_left()).values()))
    assert max(before - after for before, after in pairwise(items)) == 4
    assert await batches_left() == {}


async def test_a_batch_that_is_retried_while_it_goes_stays_with_what_is_left(
    owner: BaseUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "STEP", 4)
    batch, walker = await a_batch(owner, items=10), History()
    while sum((await batches_left()).values()) == 10:
        await walker.step(now() - KEPT_FOR)
    made = NewJob(id=new_id(), command="{}", summary="{}", kind=JobKind.INGEST, image=None, host="a.example")
    assert await batches.retry(batch, lambda _: made, "request") == 1
    await walk(walker)
    assert await batches_left() == {batch.id: 6}


async def test_a_batch_that_is_retried_once_it_was_found_stays_whole(
    owner: BaseUser, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, changed, found, run = (
        await a_batch(owner),
        asyncio.Event(),
        asyncio.Event(),
        database.run_querystring,
    )

    async def retry() -> None:
        async with transaction():
            values: dict[Any, Any] = {Batch.status: BatchStatus.IN_PROCESS, Batch.finished_at: None}
            await Batch.update(values).where(Batch.id == batch.id)
            changed.set()
            await found.wait()

    async def observed(*arguments: Any, **options: Any) -> Any:
        rows = await run(*arguments, **options)
        found.set()
        return rows

    retrying = asyncio.create_task(retry())
    await changed.wait()
    monkeypatch.setattr(database, "run_querystring", observed)
    assert await batch_history.step(now() - KEPT_FOR, 100) == 0
    await retrying
    assert await batches_left() == {batch.id: 3}
