"""Migrating a database to the newest version of all tables."""

import asyncio
import contextlib
import fcntl
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import structlog
from piccolo.apps.migrations.commands.forwards import run_forwards
from piccolo.apps.migrations.tables import Migration

from libs.contracts.outcome import Outcome
from libs.runtime.threads import MAINTENANCE
from libs.storage.database import migrations, piccolo_conf
from libs.storage.database.engine import Engine
from libs.storage.database.errors import driver_errors
from libs.storage.database.postgres import Connection, PooledPostgres

MIGRATION_LOCK = 0x6461726B726F6F6D  # "darkroom": one migrating process at a time
LOCK_PAUSE_S = 0.2
WAIT_PAUSE_S = 0.5
APP = "darkroom"

log = structlog.get_logger(__name__)


class MigrationFailed(Exception):
    """A migration failed and was rolled back; the migrations before it stay."""

    code = "migration_failed"
    outcome: ClassVar[Outcome] = "permanent"


async def migrate(engine: Engine, *, until: str = "all") -> None:
    """Run the new migrations of all Piccolo apps; of Darkroom's own, only those up to the id `until`.

    Raises:
        MigrationFailed: A migration failed and was rolled back.
        DatabaseUnavailable: The database does not answer.
    """
    async with _one_at_a_time(engine):
        for app in piccolo_conf.APP_REGISTRY.app_configs:
            with contextlib.redirect_stdout(io.StringIO()):
                result = await run_forwards(app, until if app == APP else "all")
            if not result.success:
                raise MigrationFailed(f"{app}: {result.message}")
    log.info("migrated")


async def until_migrated() -> None:
    """Wait until another process has run all migrations of this version.

    Raises:
        DatabaseUnavailable: The database does not answer.
    """
    while not await is_migrated():  # noqa: ASYNC110 - another process does it
        await asyncio.sleep(WAIT_PAUSE_S)


async def is_migrated() -> bool:
    """Return whether all migrations of this version have run."""
    if not await Migration.table_exists():
        return False
    ran = await Migration.exists().where((Migration.app_name == APP) & (Migration.name == newest_migration()))
    return bool(ran)


def newest_migration() -> str:
    """Return the id of the newest of Darkroom's own migrations."""
    newest = max(path.stem for path in Path(migrations.__path__[0]).glob("[0-9]*.py"))
    return str(import_module(f"{migrations.__name__}.{newest}").ID)


@asynccontextmanager
async def _one_at_a_time(engine: Engine) -> AsyncGenerator[None]:
    if not isinstance(engine, PooledPostgres):
        with driver_errors:
            lock = await MAINTENANCE.run(Path(f"{engine.path}-migrating").open, "w")
        with lock:
            await MAINTENANCE.run(fcntl.flock, lock, fcntl.LOCK_EX)
            yield
        return
    connection = await engine.get_new_connection()
    try:
        while not await _locks(connection):  # noqa: ASYNC110 - another process holds it
            await asyncio.sleep(LOCK_PAUSE_S)
        with engine.unlimited():
            yield
    finally:
        connection.terminate()  # which frees the lock, whatever the link does


async def _locks(connection: Connection) -> bool:
    """Try to take the lock; a statement that waited for it would exceed the limit on statements."""
    with driver_errors:
        return await connection.fetchval(f"select pg_try_advisory_lock({MIGRATION_LOCK})")
