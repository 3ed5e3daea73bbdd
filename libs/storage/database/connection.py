"""The database that all tables of this process use."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import cast

from piccolo.apps.migrations.tables import Migration

from libs.runtime.background import supervised_loops
from libs.storage.database import clock, piccolo_conf
from libs.storage.database.engine import Engine, engine_from, opened
from libs.storage.database.errors import driver_errors
from libs.storage.database.postgres import PooledPostgres
from libs.storage.database.tables import Image

PING_TIMEOUT_S = 2


def bind(engine: Engine) -> None:
    """Make `engine` the one that all tables use in this process."""
    os.environ.setdefault("PICCOLO_CONF", "libs.storage.database.piccolo_conf")
    piccolo_conf.DB = engine
    for app in piccolo_conf.APP_REGISTRY.app_configs.values():
        for table in app.table_classes:
            table._meta.db = engine  # pyright: ignore[reportPrivateUsage] - no public way to set it
    Migration._meta.db = engine  # pyright: ignore[reportPrivateUsage]


@asynccontextmanager
async def open_database(url: str) -> AsyncGenerator[Engine]:
    """Connect, and bind all tables; close the connections at the end of the block.

    Raises:
        ValueError: The URL has an unknown scheme.
        DatabaseUnavailable: The database does not answer.
    """
    engine = engine_from(url)
    bind(engine)
    async with opened(engine), AsyncExitStack() as stack:
        if isinstance(engine, PooledPostgres):  # an SQLite file has this machine's clock
            await clock.measure(engine)
            loops = {"clock": clock.keep_measuring(engine)}
            await stack.enter_async_context(supervised_loops(loops))
        yield engine


async def ping() -> None:
    """Run the shortest possible query.

    Raises:
        DatabaseUnavailable: The database does not answer within `PING_TIMEOUT_S`.
    """
    with driver_errors:
        async with asyncio.timeout(PING_TIMEOUT_S):
            await Image.raw("select 1")


def transaction() -> AbstractAsyncContextManager[object]:
    """Run all statements of an `async with` block in one transaction; a nested one joins the outer.

    Do not start tasks inside: they would inherit its connection.
    """
    engine = piccolo_conf.DB
    assert engine is not None, "open_database comes first"  # noqa: S101
    return cast("AbstractAsyncContextManager[object]", engine.transaction())
