"""Old history goes in small steps; what an image shows, and what is not over, stays."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.enums import CallState, JobStatus
from libs.storage import history, images
from libs.storage.database.engine import Engine
from libs.storage.database.tables import (
    BaseUser,
    EditCall,
    Image,
    Job,
    Reply,
    Submission,
    first_id_since,
    new_id,
    now,
)
from libs.storage.history import History
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


async def an_order(owner: BaseUser, job: Job) -> Submission:
    moment = job.created_at
    order = Submission(id=id_at(moment), owner=owner.id, job=job.id, outcome=job.id, created_at=moment)
    await order.save()
    return order


async def walk(walker: History | None = None) -> None:
    walker = walker or History()
    while await walker.step(now() - KEPT_FOR) is not None:
        pass


async def left() -> set[UUID]:
    return {row["id"] for table in (Job, Submission, EditCall) for row in await table.select(table.id)}


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
    await Reply(submission=orders[1].id, reply_to="q").save()
    await walk()
    assert await left() == {queued.id, late.id, ended.id, *(order.id for order in orders)}


async def test_the_result_that_an_image_shows_outlives_the_history(owner: BaseUser) -> None:
    image = await an_image(owner)
    for days in (130, 120):
        result = await an_image(owner, parent=image.id)
        newest = await an_ended_job(owner, image, timedelta(days=days), result=result.id)
    cancelled = await an_ended_job(owner, image, status=JobStatus.CANCELLED)
    assert len(await left()) == 3
    await walk()
    assert await left() == {newest.id}
    assert (await images.latest_result(image)).id == newest.result
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
