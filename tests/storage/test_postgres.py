"""What our PostgreSQL engine adds to the pool of asyncpg: connections kept for the next statement."""

import asyncio
from urllib.parse import urlsplit

import pytest

from libs.storage.database import postgres
from libs.storage.database.connection import ping
from libs.storage.database.engine import Engine
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.postgres import POOL_SIZE, PooledPostgres
from libs.storage.database.tables import Job
from tests.storage.rows import a_queued_job, count_up, job_row
from tests.support.tcp_timers import probed_connections
from tests.support.waiting import WAIT_S, until

pytestmark = [
    pytest.mark.services,
    pytest.mark.parametrize("database_url", ["postgres"], indirect=True),
]


def idle_in_pool(engine: Engine) -> int:
    assert isinstance(engine, PooledPostgres)
    assert engine.pool is not None
    return engine.pool.get_idle_size()


async def test_a_connection_is_kept_for_the_next_statement(database: Engine) -> None:
    await ping()
    held = idle_in_pool(database)
    for _ in range(3):
        await ping()
    assert idle_in_pool(database) == held == 0


@pytest.fixture
def kept_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a database that is opened afterwards: its first statement starts the time."""
    monkeypatch.setattr(postgres, "KEPT_S", 0.05)


async def test_kept_connections_go_back_to_the_pool(kept_briefly: None, database: Engine) -> None:
    async def returned() -> bool:
        return idle_in_pool(database) > 0

    await ping()
    await until(returned)
    await ping()


async def test_the_wait_for_a_connection_is_limited(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(database, PooledPostgres)
    held = [await database.check_out() for _ in range(POOL_SIZE)]
    monkeypatch.setattr(postgres, "CHECKOUT_S", 0.2)
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(DatabaseUnavailable):
            await Job.count()  # `ping` has a limit of its own
    for connection in held:
        await database.give_back(connection)
    await ping()


async def test_who_waits_for_a_connection_gets_the_next_that_is_free(database: Engine) -> None:
    job = await a_queued_job()
    async with asyncio.timeout(WAIT_S):
        await asyncio.gather(*(count_up(job, 2) for _ in range(3 * POOL_SIZE)), return_exceptions=True)
        await asyncio.gather(*(ping() for _ in range(10 * POOL_SIZE)))
    await job_row(job.id)


async def test_a_kept_connection_that_the_server_has_ended_is_not_used(database: Engine) -> None:
    await ping()
    assert isinstance(database, PooledPostgres)
    connection = await database.check_out()
    await database.keep(connection)
    connection.terminate()
    await ping()


async def test_the_kernel_notices_a_lost_server(database: Engine, database_url: str) -> None:
    port = urlsplit(database_url).port
    assert port is not None
    await ping()

    async def probed() -> bool:
        found = probed_connections(port)
        return any(found)

    await until(probed, within_s=20)
