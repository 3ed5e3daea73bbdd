"""The database engine that a URL names."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from libs.storage.database.errors import DatabaseUnavailable, driver_errors
from libs.storage.database.postgres import PooledPostgres
from libs.storage.database.sqlite import PooledSQLite

Engine: TypeAlias = PooledSQLite | PooledPostgres


def engine_from(url: str) -> Engine:
    """Return the engine for `sqlite:///PATH` or `postgres://...`, without opening its pool.

    Raises:
        ValueError: The URL has another scheme.
        DatabaseUnavailable: The file of an SQLite database cannot be opened.
    """
    if url.startswith(("postgres://", "postgresql://")):
        return PooledPostgres(url)
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnavailable(str(error)) from error
        with driver_errors:
            return PooledSQLite(path)
    raise ValueError(f"a database URL starts with sqlite:/// or postgres://, not {url.split(':')[0]}:")


@asynccontextmanager
async def opened(engine: Engine) -> AsyncGenerator[Engine]:
    """Keep the engine's pool open during the block.

    Raises:
        DatabaseUnavailable: The server does not answer.
    """
    if isinstance(engine, PooledPostgres):
        await engine.open_pool()
    try:
        yield engine
    finally:
        await engine.close_connection_pool()


async def rows(query: Awaitable[Any]) -> list[dict[str, Any]]:
    """Await a query and return its rows; Piccolo does not type what `returning` and `raw` give."""
    return await query
