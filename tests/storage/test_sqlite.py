"""What our SQLite engine adds to Piccolo's: kept connections, no "database is locked", clean ends."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from libs.storage.database import sqlite
from libs.storage.database.engine import Engine, engine_from
from tests.storage.database_process import WRITERS, WRITES, run_process
from tests.storage.rows import a_queued_job, count_up, job_row
from tests.support.waiting import until


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Only this engine."""
    return f"sqlite:///{tmp_path}/test.sqlite"


async def test_many_writers_in_two_processes_lose_nothing(database: Engine, database_url: str) -> None:
    job = await a_queued_job()
    await asyncio.gather(
        run_process("count_up", database_url, str(job.id)), *(count_up(job, 25) for _ in range(8))
    )
    assert (await job_row(job.id)).attempts == 8 * 25 + WRITERS * WRITES


async def test_the_journal_is_a_write_ahead_log(database: Engine, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "test.sqlite") as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.close()


async def test_connections_are_kept_and_used_again(database: Engine) -> None:
    job = await a_queued_job()
    before = threading.active_count()
    for _ in range(30):
        await job_row(job.id)
        await count_up(job, 1)
    assert threading.active_count() == before


async def test_a_burst_of_queries_has_few_connections_and_they_are_closed_afterwards(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "IDLE_S", 0.2)
    job = await a_queued_job()
    before = threading.active_count()
    most = 0

    async def read() -> None:
        nonlocal most
        await job_row(job.id)
        most = max(most, threading.active_count())

    await asyncio.gather(*(read() for _ in range(200)))
    assert before + 1 < most <= before + sqlite.READERS

    async def closed() -> bool:
        return threading.active_count() <= before

    await until(closed)
    await job_row(job.id)


async def test_a_process_that_cancelled_its_queries_ends(database: Engine, database_url: str) -> None:
    job = await a_queued_job()
    assert await run_process("give_up_halfway", database_url, str(job.id)) == "survived"


def test_an_unknown_database_is_refused_by_its_scheme() -> None:
    with pytest.raises(ValueError, match="not mysql:"):
        engine_from("mysql://host/name")
