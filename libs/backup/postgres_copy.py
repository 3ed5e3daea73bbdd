"""A copy of a PostgreSQL database by COPY, in one snapshot.

pg_dump refuses a server that is newer than itself, so it would have to come with the server and not with
Darkroom. The schema is not saved: the migrations make it, in the version of the backup.
"""

from graphlib import TopologicalSorter
from pathlib import Path

from libs.backup.manifest import SavedDatabase, SavedTable
from libs.storage.database.errors import driver_errors
from libs.storage.database.migrate import migrate
from libs.storage.database.postgres import UNLIMITED, UNLIMITED_S, Connection, PooledPostgres

TABLES = """
select c.relname as name, array(
  select a.attname::text from pg_attribute a
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum
) as columns
from pg_class c where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
"""
REFERENCES = """
select distinct conrelid::regclass::text as child, confrelid::regclass::text as parent
from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace
"""
SEQUENCES = """
select c.relname as table, a.attname as column,
       pg_get_serial_sequence(quote_ident(c.relname), a.attname) as sequence
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
  and pg_get_serial_sequence(quote_ident(c.relname), a.attname) is not null
"""


async def save(engine: PooledPostgres, folder: Path, *, newest: str, without: str) -> SavedDatabase:
    """Write each table but one to a file, all in one snapshot."""
    (folder / "database").mkdir()
    connection = await engine.get_new_connection()
    try:
        with driver_errors:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await connection.execute(UNLIMITED)
                tables = [
                    await _save_table(connection, folder, name, columns)
                    for name, columns in await _in_order(connection)
                    if name != without
                ]
                return SavedDatabase(
                    engine="postgres",
                    server_version=await connection.fetchval("show server_version"),
                    migration=await connection.fetchval(newest),
                    tables=tuple(tables),
                )
    finally:
        connection.terminate()


async def load(engine: PooledPostgres, folder: Path, saved: SavedDatabase) -> None:
    """Make the schema of the backup, and fill it in one transaction.

    Triggers rest meanwhile: what they have written into other tables is in the backup too.
    """
    await migrate(engine, until=saved.migration)
    connection = await engine.get_new_connection()
    try:
        with driver_errors:
            async with connection.transaction():
                await connection.execute(UNLIMITED)
                names = ", ".join(f'"{table.name}"' for table in saved.tables)
                await connection.execute(f"truncate {names}")  # what migrations have inserted
                for table in saved.tables:
                    await connection.execute(f'alter table "{table.name}" disable trigger user')
                for table in saved.tables:
                    await connection.copy_to_table(
                        table.name,
                        source=folder / table.file,
                        columns=table.columns,
                        format="text",
                        timeout=UNLIMITED_S,
                    )
                for table in saved.tables:
                    await connection.execute(f'alter table "{table.name}" enable trigger user')
                for row in await connection.fetch(SEQUENCES):
                    await connection.execute(
                        f'select setval($1::text::regclass, max("{row["column"]}"))'  # noqa: S608
                        f' from "{row["table"]}" having count(*) > 0',
                        row["sequence"],
                    )
    finally:
        connection.terminate()


async def _in_order(connection: Connection) -> list[tuple[str, tuple[str, ...]]]:
    """Return all tables with their columns, each after those that it refers to."""
    columns = {row["name"]: tuple(row["columns"]) for row in await connection.fetch(TABLES)}
    parents: dict[str, set[str]] = {name: set() for name in sorted(columns)}
    for row in await connection.fetch(REFERENCES):
        if row["child"] != row["parent"]:
            parents[row["child"].strip('"')].add(row["parent"].strip('"'))
    return [(name, columns[name]) for name in TopologicalSorter(parents).static_order()]


async def _save_table(
    connection: Connection, folder: Path, name: str, columns: tuple[str, ...]
) -> SavedTable:
    file = f"database/{name}.copy"
    status = await connection.copy_from_table(
        name, output=folder / file, columns=columns, format="text", timeout=UNLIMITED_S
    )
    return SavedTable(name=name, columns=columns, rows=int(status.split()[-1]), file=file)
