"""A copy of the database at one moment, while others write to it, and back into an empty database."""

from pathlib import Path

from libs.backup import postgres_copy, sqlite_copy
from libs.backup.errors import BackupRefused
from libs.backup.manifest import SavedDatabase
from libs.storage.database.engine import Engine
from libs.storage.database.migrate import APP
from libs.storage.database.postgres import PooledPostgres

MIGRATIONS = "migration"  # Piccolo's table of the migrations that have run
NEWEST = f"select name from {MIGRATIONS} where app_name = '{APP}' order by name desc limit 1"  # noqa: S608


async def save_database(engine: Engine, folder: Path) -> SavedDatabase:
    """Write the database below `folder`.

    Raises:
        BackupRefused: It was never migrated.
    """
    if await is_empty(engine):
        raise BackupRefused("the database has no tables: run `darkroom migrate`")
    if isinstance(engine, PooledPostgres):
        return await postgres_copy.save(engine, folder, newest=NEWEST, without=MIGRATIONS)
    return await sqlite_copy.save(engine, folder, newest=NEWEST)


async def load_database(engine: Engine, folder: Path, saved: SavedDatabase) -> None:
    """Fill an empty database with the rows and the schema of the backup."""
    if isinstance(engine, PooledPostgres):
        await postgres_copy.load(engine, folder, saved)
    else:
        await sqlite_copy.load(engine, folder)


async def count_rows(engine: Engine, saved: SavedDatabase) -> dict[str, int]:
    """Return how many rows the tables of the backup have in this database."""
    counts: dict[str, int] = {}
    for table in saved.tables:
        [row] = await engine.run_compiled(f'select count(*) as rows from "{table.name}"', [])  # noqa: S608
        counts[table.name] = row["rows"]
    return counts


async def is_empty(engine: Engine) -> bool:
    """Return whether the database has no tables."""
    query = (
        "select tablename from pg_tables where schemaname = current_schema() limit 1"
        if isinstance(engine, PooledPostgres)
        else "select name from sqlite_master limit 1"
    )
    return not await engine.run_compiled(query, [])
