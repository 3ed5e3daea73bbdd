"""Transactions that fail or are cancelled leave nothing behind, on both engines."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from libs.storage import jobs
from libs.storage.database.connection import open_database, transaction
from libs.storage.database.engine import Engine
from libs.storage.database.migrate import migrate
from libs.storage.database.statement import new_row
from libs.storage.database.tables import Job, new_id, now
from tests.storage.rows import a_queued_job, count_up, job_row
from tests.support.waiting import WAIT_S


async def test_a_failed_transaction_leaves_nothing_behind(database: Engine) -> None:
    job = await a_queued_job()

    async def fail_halfway() -> None:
        async with transaction():
            await Job.update({Job.attempts: 7}).where(Job.id == job.id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_halfway()
    assert (await job_row(job.id)).attempts == 0
    await count_up(job, 1)


async def test_work_cancelled_at_any_point_leaves_the_engine_usable(database: Engine) -> None:
    job = await a_queued_job()
    for turns in range(60):
        task = asyncio.create_task(count_up(job, 3))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await count_up(job, 1)  # the last commit may outlive its caller; this write waits for it
    reached = (await job_row(job.id)).attempts
    await asyncio.wait_for(count_up(job, 5), WAIT_S)
    assert (await job_row(job.id)).attempts == reached + 5


async def test_an_engine_closes_though_transactions_were_cancelled(database_url: str) -> None:
    async with asyncio.timeout(WAIT_S), open_database(database_url) as engine:
        await migrate(engine)
        job = await a_queued_job()
        for turns in range(60):
            tasks = [asyncio.create_task(count_up(job, 3)) for _ in range(3)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def test_a_row_read_by_a_ready_statement_is_the_object_that_piccolo_makes_of_it(
    database: Engine,
) -> None:
    stored = await a_queued_job()
    read, made = await jobs.owned_by(stored.owner, stored.id), await job_row(stored.id)
    assert vars(read) == vars(made)
    await count_up(read, 1)
    assert (await job_row(stored.id)).attempts == 1


async def test_a_new_row_is_the_object_that_piccolo_makes_with_the_same_values() -> None:
    values: dict[str, Any] = {
        "id": new_id(),
        "owner": 1,
        "kind": "transform",
        "command": "{}",
        "publish_at": now(),
    }
    made, usual = new_row(Job, **values, created_at=now()), Job(**values)
    assert made.created_at is not None
    made.created_at = usual.created_at
    assert vars(made) == vars(usual)


async def test_rows_are_read_once_each_by_a_list_of_ids_of_any_length(database: Engine) -> None:
    stored = [(await a_queued_job()).id for _ in range(9)]
    assert await jobs.by_ids([]) == []
    for count in range(1, 10):
        assert sorted(job.id for job in await jobs.by_ids(stored[:count])) == sorted(stored[:count])
