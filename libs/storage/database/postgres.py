"""Piccolo's PostgreSQL engine, with transactions that never lose a pooled connection."""

from types import TracebackType
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.querystring import QueryString

from libs.storage.database.errors import driver_errors
from libs.storage.database.settle import settle

POOL_SIZE = 10


class ReleasedTransaction(PostgresTransaction):
    """A transaction that always returns its connection to the pool, or closes it.

    Piccolo's transaction keeps the connection when `begin`, `commit` or `rollback` fails or is cancelled, and
    then the pool waits for it forever. Here such a connection is closed, because its statement may still run.
    """

    async def __aenter__(self) -> PostgresTransaction:
        if self._parent is not None:
            return self._parent
        try:
            with driver_errors:
                return await super().__aenter__()
        except BaseException:
            connection: asyncpg.Connection | None = getattr(self, "connection", None)
            if connection is not None:
                connection.terminate()
            raise

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._parent is not None:
            return exception is None
        try:
            with driver_errors:
                await self._end(failed=exception is not None)
        finally:
            self.engine.current_transaction.reset(self.context)
        return exception is None

    async def _end(self, *, failed: bool) -> None:
        try:
            await settle(self, failed=failed)
        except BaseException:
            self.connection.terminate()
            raise
        await cast("asyncpg.Pool", self.engine.pool).release(self.connection)


class PooledPostgres(PostgresEngine):
    """PostgreSQL with a pool of connections, and with the errors of this package."""

    def transaction(self, allow_nested: bool = True) -> ReleasedTransaction:
        return ReleasedTransaction(engine=self, allow_nested=allow_nested)

    async def get_new_connection(self) -> asyncpg.Connection:
        with driver_errors:
            return await super().get_new_connection()

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[Any]:
        with driver_errors:
            return cast("list[Any]", await super().run_querystring(querystring, in_pool))

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[Any]:
        with driver_errors:
            return cast("list[Any]", await super().run_ddl(ddl, in_pool))

    async def open_pool(self) -> None:
        with driver_errors:
            await self.start_connection_pool(min_size=1, max_size=POOL_SIZE, reset=_reset_nothing)


async def _reset_nothing(_: object) -> None:
    """Save the round trip that asyncpg makes after every query; no statement here leaves session state.

    asyncpg rolls back an unfinished transaction before it calls this.
    """
