"""Statements that every request or job runs, compiled to SQL once.

Piccolo builds the text of a query anew at each call, which costs several times what the database takes to
answer it; here only the values are new each time.
"""

from functools import cache
from typing import Any, TypeVar

from msgspec import Struct
from piccolo.query.base import Query
from piccolo.querystring import QueryString
from piccolo.table import Table

from libs.storage.database import piccolo_conf

T = TypeVar("T", bound=Table)


class Slot(Struct, frozen=True):
    """A placeholder in a query for the value that a call passes under this name."""

    name: str


class Statement:
    """A Piccolo query with slots for its values; a call returns its rows.

    None may be set by a call, but not compared with.
    """

    def __init__(self, query: Query[Any, Any]) -> None:
        self._query = query
        self._texts: dict[str, tuple[str, list[Any]]] = {}

    async def __call__(self, **values: object) -> list[dict[str, Any]]:
        engine = piccolo_conf.DB
        assert engine is not None, "open_database comes first"  # noqa: S101
        if engine.engine_type not in self._texts:
            (querystring,) = self._query.querystrings
            self._texts[engine.engine_type] = querystring.compile_string(engine.engine_type)
        text, arguments = self._texts[engine.engine_type]
        given = [values[one.name] if isinstance(one, Slot) else one for one in arguments]
        found = await engine.run_querystring(_Ready(text, given))
        return [dict(row) for row in found]

    async def objects(self, table: type[T], **values: object) -> list[T]:
        """Return the rows as objects of their table."""
        return [_loaded(table, row) for row in await self(**values)]

    async def first(self, table: type[T], **values: object) -> T | None:
        """Return the first row as an object of its table; None when there is none."""
        return next(iter(await self.objects(table, **values)), None)


def _loaded(table: type[T], row: dict[str, Any]) -> T:
    """Build `table(**row)` from a whole row, without checking each column for a default."""
    loaded = table.__new__(table)
    vars(loaded).update(row, _exists_in_db=True, _was_created=None)
    return loaded


async def insert(row: Table) -> None:
    """Insert a new row that has its key; JSON columns hold text."""
    statement, names = _insertion(type(row))
    await statement(**{name: getattr(row, name) for name in names})
    row._exists_in_db = True  # pyright: ignore[reportPrivateUsage] - no public way to set it


@cache
def _insertion(table: type[Table]) -> tuple[Statement, list[str]]:
    names = [column._meta.name for column in table.all_columns()]  # pyright: ignore[reportPrivateUsage]
    columns, braces = ", ".join(f'"{name}"' for name in names), ", ".join("{}" for _ in names)
    into = table._meta.get_formatted_tablename()  # pyright: ignore[reportPrivateUsage]
    query = table.raw(f"insert into {into} ({columns}) values ({braces})", *map(Slot, names))  # noqa: S608
    return Statement(query), names


class _Ready(QueryString):
    """A query whose SQL is compiled already."""

    __slots__ = ()

    def __init__(self, text: str, values: list[Any]) -> None:
        super().__init__("")
        self._frozen_compiled_strings = (text, values)
