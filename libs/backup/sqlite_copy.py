"""A copy of an SQLite database by its online backup API, which lets others read and write meanwhile."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import cast

from libs.backup.manifest import SavedDatabase, SavedTable
from libs.runtime.threads import MAINTENANCE
from libs.storage.database.errors import driver_errors
from libs.storage.database.sqlite import PooledSQLite

FILE = "database/darkroom.sqlite"


async def save(engine: PooledSQLite, folder: Path, *, newest: str) -> SavedDatabase:
    """Copy the file, and count the rows of the copy."""
    with driver_errors:
        return await MAINTENANCE.run(_save, Path(cast("str", engine.path)), folder / FILE, newest)


async def load(engine: PooledSQLite, folder: Path) -> None:
    """Copy a backup over an empty database."""
    with driver_errors:
        await MAINTENANCE.run(_copy, folder / FILE, Path(cast("str", engine.path)))


def _save(source: Path, target: Path, newest: str) -> SavedDatabase:
    target.parent.mkdir()
    _copy(source, target)
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("pragma journal_mode = delete")  # one file, without a log beside it
        names = copy.execute("select name from sqlite_master where type = 'table' order by name").fetchall()
        tables = tuple(_table(copy, name) for (name,) in names if not name.startswith("sqlite_"))
        (migration,) = copy.execute(newest).fetchone()
    return SavedDatabase(
        engine="sqlite", server_version=sqlite3.sqlite_version, migration=migration, tables=tables
    )


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _table(copy: sqlite3.Connection, name: str) -> SavedTable:
    (rows,) = copy.execute(f'select count(*) from "{name}"').fetchone()  # noqa: S608
    columns = copy.execute("select name from pragma_table_info(?)", (name,)).fetchall()
    return SavedTable(name=name, columns=tuple(column for (column,) in columns), rows=rows)
