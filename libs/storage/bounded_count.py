"""Counts of long lists, which end early: reading a million rows takes longer than showing any page."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from libs.storage.database.engine import rows
from libs.storage.database.tables import Image

MOST = 10_000


class Total(Struct, frozen=True):
    """How many rows match."""

    counted: int  # at most MOST
    has_more: bool  # there are more than that


class Matching(Struct, frozen=True):
    """A condition of SQL, and the values that its `{}` stand for."""

    text: str = "true"
    values: tuple[Any, ...] = ()

    def also(self, compared: Mapping[str, Any]) -> "Matching":
        """Add comparisons such as `owner = {}` with their values, but those with None."""
        given = {text: value for text, value in compared.items() if value is not None}
        return Matching(" and ".join([self.text, *given]), (*self.values, *given.values()))


async def of(source: str, matching: Matching) -> Total:
    """Count the rows of a table, `source`, that match.

    No more than MOST rows and the next that match are read.
    """
    query = f"select 1 from {source} where {matching.text} limit {{}}"  # noqa: S608 - our own text
    counted = f"select count(*) as total from ({query}) as counted"  # noqa: S608
    [found] = await rows(Image.raw(counted, *matching.values, MOST + 1))
    return Total(min(found["total"], MOST), has_more=found["total"] > MOST)
