"""Statements that run in every request or job, and that are translated to SQL only once.

Piccolo builds the SQL of a query at every call, which takes several times as long as the database needs to
execute it. A `Statement` keeps the SQL and only replaces the values.
"""

from collections.abc import Sequence
from enum import Enum
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from msgspec import Struct
from piccolo.columns.defaults.base import Default
from piccolo.query.base import Query
from piccolo.table import Table

from libs.storage.database import piccolo_conf

T = TypeVar("T", bound=Table)


class Slot(Struct, frozen=True):
    """A placeholder in a query for the value that a call passes under this name."""

    name: str


def id_slots(count: int) -> list[Slot]:
    """Return the placeholders of `id_values` for up to `count` ids, a power of two."""
    return [Slot(str(position)) for position in range(count)]


def id_values(ids: Sequence[UUID]) -> dict[str, UUID]:
    """Name the values of a list of ids, which is not empty, for `id_slots`.

    The last id is repeated up to a power of two, so that lists of any length need few statements.
    """
    count = 1 << (len(ids) - 1).bit_length()
    return {str(position): ids[min(position, len(ids) - 1)] for position in range(count)}


class Statement:
    """A Piccolo query with slots for its values; call it with the values to get the rows.

    A value of None can be stored but not compared with, because the SQL has `=` and not `is null`.

    A `quick` one finds or changes a few rows by an index, which takes microseconds. SQLite runs it in the
    event loop, because handing it to a thread takes several times as long.
    """

    def __init__(self, query: Query[Any, Any], *, quick: bool = False) -> None:
        self._query = query
        self._quick = quick
        self._texts: dict[str, tuple[str, list[Any]]] = {}

    async def __call__(self, **values: object) -> list[dict[str, Any]]:
        engine = piccolo_conf.DB
        assert engine is not None, "open_database comes first"  # noqa: S101
        if engine.engine_type not in self._texts:
            (querystring,) = self._query.querystrings
            self._texts[engine.engine_type] = querystring.compile_string(engine.engine_type)
        text, arguments = self._texts[engine.engine_type]
        filled = [values[value.name] if isinstance(value, Slot) else value for value in arguments]
        return await engine.run_compiled(text, filled, quick=self._quick)

    async def objects(self, table: type[T], **values: object) -> list[T]:
        """Return the rows as objects of their table."""
        return [loaded(table, row) for row in await self(**values)]

    async def first(self, table: type[T], **values: object) -> T | None:
        """Return the first row as an object of its table, or None."""
        return next(iter(await self.objects(table, **values)), None)


def loaded(table: type[T], row: dict[str, Any]) -> T:
    """Return what `table(**row)` does, without defaults: a column that is not in `row` is missing."""
    loaded = table.__new__(table)
    vars(loaded).update(row, _exists_in_db=True, _was_created=None)
    return loaded


def new_row(table: type[T], **values: object) -> T:
    """Return what `table(**values)` does, in a tenth of the time; what has no default must be given."""
    row = table.__new__(table)
    for name, default in _defaults(table):
        if name not in values:
            values[name] = default() if callable(default) else default
    vars(row).update(values, _exists_in_db=False, _was_created=None)
    return row


@cache
def _defaults(table: type[Table]) -> list[tuple[str, Any]]:
    """Return the columns of a table with their default values, or with the functions that make these."""
    defaults: list[tuple[str, Any]] = []
    for column in table.all_columns():
        default: Any = getattr(column, "default", None)
        if isinstance(default, Default):
            default = default.python
        name = column._meta.name  # pyright: ignore[reportPrivateUsage]
        defaults.append((name, default.value if isinstance(default, Enum) else default))
    return defaults


async def insert(row: Table) -> None:
    """Insert a new row that has its primary key; values of JSON columns must be text."""
    statement, names = _insertion(type(row))
    await statement(**{name: getattr(row, name) for name in names})
    row._exists_in_db = True  # pyright: ignore[reportPrivateUsage] - no public way to set it


@cache
def _insertion(table: type[Table]) -> tuple[Statement, list[str]]:
    names = [column._meta.name for column in table.all_columns()]  # pyright: ignore[reportPrivateUsage]
    stored = [column._meta.db_column_name for column in table.all_columns()]  # pyright: ignore[reportPrivateUsage]
    columns, braces = ", ".join(f'"{name}"' for name in stored), ", ".join("{}" for _ in names)
    into = table._meta.get_formatted_tablename()  # pyright: ignore[reportPrivateUsage]
    query = table.raw(f"insert into {into} ({columns}) values ({braces})", *map(Slot, names))  # noqa: S608
    return Statement(query, quick=True), names
