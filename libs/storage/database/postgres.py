"""Piccolo's PostgreSQL engine, in which every wait has a limit and no pooled connection is lost."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic
from types import TracebackType
from typing import Any, TypeAlias, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.querystring import QueryString

from libs.runtime import metrics
from libs.runtime.keepalive import keep_alive
from libs.runtime.metrics.pools import PoolState, forget_pool, watch_pool
from libs.storage.database.errors import driver_errors
from libs.storage.database.statement_spans import statement_span
from libs.storage.database.transaction_end import end_transaction

Connection: TypeAlias = Any
"""An asyncpg connection, or the pool's proxy of one; asyncpg has no types."""

POOL_SIZE = 10
CONNECT_S = 5.0
CHECKOUT_S = 10.0  # for a free connection of the pool, a new one included
STATEMENT_S = 20.0
KEPT_S = 60.0  # how often connections that are kept for the next statement go back to the pool
GIVE_BACK_S = 1.0  # for a statement that was given up to end; its connection is closed after that
CLOSE_S = 2.0  # for the pool to close
UNLIMITED_S = 86_400.0  # a migration's statement

# The server's side of the same limits: a transaction whose client is gone would keep its locks for hours. A
# statement sets them, because poolers of connections refuse unknown start-up parameters.
SESSION = f"""
select set_config(wanted.name, wanted.value, false) from (values
  ('statement_timeout', '{STATEMENT_S:g}s'), ('idle_in_transaction_session_timeout', '30s'),
  ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'),
  ('tcp_user_timeout', '20000')
) as wanted (name, value) join pg_settings using (name)
"""  # noqa: S608 - constants of ours
UNLIMITED = "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0"


class ReleasedTransaction(PostgresTransaction):
    """A transaction that always returns its connection to the pool, or closes it.

    Piccolo's transaction keeps the connection when `begin`, `commit` or `rollback` fails or is cancelled, and
    then the pool waits for it forever. Here such a connection is closed, because its statement may still run.
    """

    engine: "PooledPostgres"

    async def __aenter__(self) -> PostgresTransaction:
        if self._parent is not None:
            return self._parent
        try:
            with driver_errors:
                return await super().__aenter__()
        except BaseException:
            connection: Connection | None = getattr(self, "connection", None)
            if connection is not None:
                _terminate(connection)
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

    async def get_connection(self) -> Connection:
        return await self.engine.check_out()

    async def begin(self) -> None:
        await self.connection.execute("BEGIN")  # asyncpg's own transactions take twice as long
        if self.engine.is_unlimited:
            await self.connection.execute(UNLIMITED)

    async def commit(self) -> None:
        await self.connection.execute("COMMIT")
        self._committed = True

    async def rollback(self) -> None:
        await self.connection.execute("ROLLBACK")
        self._rolled_back = True

    async def _end(self, *, failed: bool) -> None:
        if failed and _is_closed(self.connection):
            return  # the server rolls back
        try:
            await end_transaction(self, failed=failed)
        except BaseException:
            _terminate(self.connection)
            raise
        await self.engine.keep(self.connection)


class PooledPostgres(PostgresEngine):
    """PostgreSQL with a pool of connections, limits on every wait, and the errors of this package."""

    def __init__(self, dsn: str) -> None:
        super().__init__(config={"dsn": dsn, "timeout": CONNECT_S, "command_timeout": STATEMENT_S})
        self.is_unlimited = False
        self._kept: list[Connection] = []  # of the pool; the last one is used next
        self._waiting = 0  # for a connection of the pool
        self._returning: asyncio.TimerHandle | None = None
        self._returns: set[asyncio.Task[None]] = set()

    def transaction(self, allow_nested: bool = True) -> ReleasedTransaction:
        return ReleasedTransaction(engine=self, allow_nested=allow_nested)

    @contextmanager
    def unlimited(self) -> Generator[None]:
        """Let the statements of transactions inside take any time, as those of a migration may."""
        self.is_unlimited = True
        try:
            yield
        finally:
            self.is_unlimited = False

    async def get_new_connection(self) -> Connection:
        with driver_errors:
            return await _connect(**self.config)

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[Any]:
        query, arguments = querystring.compile_string(engine_type=self.engine_type)
        return await self._fetch(query, arguments)

    async def run_compiled(
        self, query: str, arguments: Sequence[Any], *, quick: bool = False
    ) -> list[dict[str, Any]]:
        """Run SQL with its values; `quick` makes no difference here."""
        return [dict(row) for row in await self._fetch(query, arguments)]

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[Any]:
        return await self._fetch(ddl, ())

    async def open_pool(self) -> None:
        with driver_errors:
            await self.start_connection_pool(
                min_size=1, max_size=POOL_SIZE, connect=_connect, reset=_reset_nothing
            )
        watch_pool("database", self._state)

    async def close_connection_pool(self) -> None:
        """Close the pool; connections that do not close in time are cut off."""
        forget_pool("database", self._state)
        self._return_kept()
        if self._returns:
            await asyncio.wait(self._returns)
        pool, self.pool = self.pool, None
        if pool is not None:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with asyncio.timeout(CLOSE_S):
                    await pool.close()

    async def check_out(self) -> Connection:
        """Take a connection within `CHECKOUT_S`; the caller keeps it for the next, or gives it back.

        asyncpg's pool takes twice as long to lend a connection as a short statement takes to run.
        """
        if self.pool is None:
            raise asyncpg.InterfaceError("the pool is closed")
        while self._kept:
            connection = self._kept.pop()
            if not _is_closed(connection):
                return connection
        self._waiting += 1
        asked_s = monotonic()
        try:
            async with asyncio.timeout(CHECKOUT_S):
                return await cast("Any", self.pool).acquire()
        finally:
            self._waiting -= 1
            metrics.POOL_WAIT.observe(monotonic() - asked_s, "database")

    async def keep(self, connection: Connection) -> None:
        """Keep a connection for the next statement, after one that ended well; who waits gets it first."""
        if self._waiting or self.pool is None:
            await self.give_back(connection)
            return
        self._kept.append(connection)
        if self._returning is None:
            loop = asyncio.get_running_loop()
            self._returning = loop.call_later(KEPT_S, self._return_kept)

    async def give_back(self, connection: Connection) -> None:
        """Return a connection to the pool; it is closed if its last statement does not end in time."""
        if self.pool is None:
            _terminate(connection)
            return
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self.pool.release(connection, timeout=GIVE_BACK_S)

    def _state(self) -> PoolState:
        pool = cast("Any", self.pool)
        lent = pool.get_size() - pool.get_idle_size() if pool is not None else 0
        return PoolState(size=POOL_SIZE, used=lent - len(self._kept), waiting=self._waiting)

    def _return_kept(self) -> None:
        """Give the kept connections back: the pool closes those that nothing uses for minutes."""
        if self._returning is not None:
            self._returning.cancel()
            self._returning = None
        for connection in self._kept:
            task = asyncio.ensure_future(self.give_back(connection))
            self._returns.add(task)
            task.add_done_callback(self._returns.discard)
        self._kept = []

    async def _fetch(self, query: str, arguments: Sequence[Any]) -> list[Any]:
        with statement_span("postgresql", query), driver_errors:
            transaction = self.current_transaction.get()
            if transaction is not None:
                return await self._fetch_inside(transaction.connection, query, arguments)
            connection = await self.check_out()
            try:
                found = await connection.fetch(query, *arguments)
            except BaseException:
                await self.give_back(connection)
                raise
            await self.keep(connection)
            return found

    async def _fetch_inside(self, connection: Connection, query: str, arguments: Sequence[Any]) -> list[Any]:
        """Run a statement of a transaction; close the connection if it is given up, which rolls back."""
        limit_s = UNLIMITED_S if self.is_unlimited else None
        try:
            return await connection.fetch(query, *arguments, timeout=limit_s)
        except (TimeoutError, asyncio.CancelledError):
            _terminate(connection)
            raise


async def _connect(*arguments: Any, **options: Any) -> Connection:  # noqa: ANN401 - as asyncpg.connect
    connection = cast("Any", await asyncpg.connect(*arguments, **options))
    try:
        keep_alive(connection._transport.get_extra_info("socket"))
        await connection.execute(SESSION)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _terminate(connection: Connection) -> None:
    with suppress(asyncpg.InterfaceError):  # it is closed, and back in the pool
        connection.terminate()


def _is_closed(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


async def _reset_nothing(_: object) -> None:
    """Save the round trip that asyncpg makes after every query; no statement here leaves session state.

    asyncpg rolls back an unfinished transaction before it calls this.
    """
