"""Opening a database for all tables, and bringing it up to date."""

import asyncio
import contextlib
import fcntl
import io
import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import ClassVar, Literal, cast

import structlog
from piccolo.apps.migrations.commands.forwards import run_forwards
from piccolo.apps.migrations.tables import Migration
from piccolo.engine.postgres import PostgresEngine

from libs.storage.database import piccolo_conf
from libs.storage.database.engine import Engine, engine_from, opened
from libs.storage.database.errors import driver_errors
from libs.storage.database.tables import Image

MIGRATION_LOCK = 0x6461726B726F6F6D  # "darkroom": one migrating process at a time
APP = "darkroom"

log = structlog.get_logger(__name__)


class MigrationFailed(Exception):
    """A migration failed and was rolled back; the migrations before it stay."""

    code = "migration_failed"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "permanent"


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
    """Connect and bind all tables for the time of the block."""
    engine = engine_from(url)
    bind(engine)
    async with opened(engine):
        yield engine


async def migrate(engine: Engine, *, until: str = "all") -> None:
    """Run what is new of the migrations of all apps; `until` stops Darkroom's own at that id.

    Raises:
        MigrationFailed: A step failed and was rolled back.
    """
    async with _one_at_a_time(engine):
        for app in piccolo_conf.APP_REGISTRY.app_configs:
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                result = await run_forwards(app, until if app == APP else "all")
            if not result.success:
                raise MigrationFailed(f"{app}: {result.message}")
    log.info("migrated")


@asynccontextmanager
async def _one_at_a_time(engine: Engine) -> AsyncGenerator[None]:
    if not isinstance(engine, PostgresEngine):
        with driver_errors:
            lock = await asyncio.to_thread(Path(f"{engine.path}-migrating").open, "w")
        with lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            yield
        return
    connection = await engine.get_new_connection()
    try:
        with driver_errors:
            await connection.execute(f"select pg_advisory_lock({MIGRATION_LOCK})")
        yield
    finally:
        await connection.close()


async def ping() -> None:
    """Run the shortest possible query.

    Raises:
        DatabaseUnavailable: The database does not answer within 2 seconds.
    """
    with driver_errors:
        async with asyncio.timeout(2):
            await Image.raw("select 1")


def transaction() -> AbstractAsyncContextManager[object]:
    """One transaction for all statements of an `async with` block.

    Do not start tasks inside: they would inherit its connection.
    """
    engine = piccolo_conf.DB
    assert engine is not None, "open_database comes first"  # noqa: S101
    return cast("AbstractAsyncContextManager[object]", engine.transaction())
