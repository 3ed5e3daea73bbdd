"""A database that is reached and does not answer: every wait ends, and the next statement works."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest

from libs.storage.database import postgres
from libs.storage.database.connection import bind, transaction
from libs.storage.database.engine import engine_from, opened, rows
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.postgres import PooledPostgres
from libs.storage.database.tables import Image
from tests.support.fault_proxy import FaultProxy
from tests.support.services import own_database
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.services

STATEMENT_S = 1.0


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[FaultProxy]:
    """A proxy in front of the database that all tables use, with a short limit on statements."""
    monkeypatch.setattr(postgres, "STATEMENT_S", STATEMENT_S)
    async with own_database() as url, FaultProxy.to(url) as proxy:
        engine = engine_from(url)
        assert isinstance(engine, PooledPostgres)
        engine.config["dsn"] = proxy.url  # only now: Piccolo's first question blocks this loop
        bind(engine)
        async with opened(engine):
            yield proxy


async def test_a_statement_on_a_dead_link_fails_and_the_next_one_works(proxy: FaultProxy) -> None:
    await Image.raw("select 1")
    proxy.silence()
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(DatabaseUnavailable):
            await Image.raw("select 1")
        await Image.raw("select 1")


async def test_a_transaction_on_a_dead_link_fails_and_the_next_one_works(proxy: FaultProxy) -> None:
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(DatabaseUnavailable):
            await _transaction_that_is_silenced(proxy)
        async with transaction():
            await Image.raw("select 1")


async def test_a_cancelled_statement_on_a_dead_link_ends_at_once(proxy: FaultProxy) -> None:
    await Image.raw("select 1")
    proxy.pause()
    started = asyncio.get_running_loop().time()
    statement = asyncio.ensure_future(_select())
    await asyncio.sleep(0)
    statement.cancel()
    await asyncio.wait([statement])
    assert asyncio.get_running_loop().time() - started < postgres.GIVE_BACK_S + STATEMENT_S
    proxy.resume()


@pytest.mark.parametrize("caller_waits_s", [None, 0.1], ids=["its own limit", "its caller"])
async def test_a_transaction_whose_statement_is_given_up_asks_nothing_more_of_a_dead_link(
    proxy: FaultProxy, caller_waits_s: float | None
) -> None:
    closed: list[bool] = []

    async def silenced() -> None:
        async with transaction() as begun:
            await Image.raw("select 1")
            proxy.silence()
            try:
                async with asyncio.timeout(caller_waits_s):
                    await Image.raw("select 1")
            finally:  # before the transaction rolls back
                closed.append(is_closed(begun))

    with pytest.raises((DatabaseUnavailable, TimeoutError)):
        await silenced()
    assert closed == [True]
    await Image.raw("select 1")


def is_closed(begun: object) -> bool:
    try:
        return cast("Any", begun).connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has removed it
        return True


async def test_a_server_that_takes_connections_and_says_nothing_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "CONNECT_S", 0.5)
    async with own_database() as url:
        engine = engine_from(url)
    assert isinstance(engine, PooledPostgres)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine.config["dsn"] = f"postgres://postgres@127.0.0.1:{silent.getsockname()[1]}/postgres"
        async with asyncio.timeout(30):  # asyncpg's own limit is a minute
            with pytest.raises(DatabaseUnavailable):
                await engine.open_pool()


async def test_the_server_ends_statements_and_transactions_whose_client_is_gone(proxy: FaultProxy) -> None:
    found = await rows(
        Image.raw(
            "select name from pg_settings where setting <> '0' and name in "
            "('statement_timeout', 'idle_in_transaction_session_timeout', 'tcp_user_timeout')"
        )
    )
    assert len(found) == 3


async def _transaction_that_is_silenced(proxy: FaultProxy) -> None:
    async with transaction():
        await Image.raw("select 1")
        proxy.silence()
        await Image.raw("select 1")


async def _select() -> None:
    await Image.raw("select 1")
