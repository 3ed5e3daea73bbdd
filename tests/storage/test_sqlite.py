"""What our SQLite engine adds to Piccolo's: kept connections, no "database is locked", clean ends."""

import asyncio
import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from libs.storage import jobs
from libs.storage.database import sqlite
from libs.storage.database.engine import Engine, engine_from
from tests.storage.database_process import WRITERS, WRITES, run_process
from tests.storage.rows import a_queued_job, count_up, job_row
from tests.support.migrated_database import copy_migrated_file
from tests.support.waiting import until


@pytest.fixture
async def database_url(tmp_path: Path) -> str:
    """Only this engine."""
    await copy_migrated_file(tmp_path / "test.sqlite")
    return f"sqlite:///{tmp_path}/test.sqlite"


@contextmanager
def other_writer(tmp_path: Path) -> Generator[None]:
    """A transaction of somebody else, who has the write lock during the block."""
    with closing(sqlite3.connect(tmp_path / "test.sqlite")) as connection:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")


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


async def test_a_quick_statement_needs_no_thread_and_does_not_wait_for_a_writer(
    database: Engine, tmp_path: Path
) -> None:
    job = await a_queued_job()
    await database.close_connection_pool()
    threads = threading.active_count()
    with other_writer(tmp_path):
        assert (await jobs.shown(job.owner, job.id)).id == job.id
    assert threading.active_count() <= threads


async def test_a_transaction_waits_for_the_writer_of_another_process_while_the_loop_goes_on(
    database: Engine, tmp_path: Path
) -> None:
    job = await a_queued_job()
    with other_writer(tmp_path):
        writing = asyncio.create_task(count_up(job, 1))
        for _ in range(10):
            assert (await job_row(job.id)).attempts == 0
        assert not writing.done()
    await writing
    assert (await job_row(job.id)).attempts == 1


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
