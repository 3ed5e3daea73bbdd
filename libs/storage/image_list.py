"""Pages of an owner's images, filtered and ordered.

A page is found as ids first: indexes have all that filters and orders read, so no row is read, with its
metadata, that the page does not show. SQLite has no statistics by which it could choose the right index, so
it is told.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from libs.storage import images
from libs.storage.database import piccolo_conf
from libs.storage.database.engine import rows
from libs.storage.database.postgres import PooledPostgres
from libs.storage.database.tables import Image

SortedBy: TypeAlias = Literal["id", "created_at", "filename", "size_bytes"]
SQL: TypeAlias = tuple[str, list[Any]]
"""A part of a statement, and its values."""

_NEWEST_JOB_STATUS = (
    "coalesce((select j.status from job j where j.image = image.id and j.kind <> 'render'"
    " order by j.id desc limit 1), 'completed')"
)
_JOB_STATUSES = {
    "pending": "('queued')",
    "processing": "('running')",
    "completed": "('completed', 'cancelled')",
    "failed": "('failed')",
}
_VISIBLE = "image.status <> 'deleting'"
_SORTS: tuple[tuple[SortedBy, str, set[str]], ...] = (
    ("created_at", "image_created", {"created_after", "created_before"}),
    ("size_bytes", "image_size", {"min_size_bytes", "max_size_bytes"}),
    ("filename", "image_name", set()),
)
"""Orders, the index of each, and the filters that it serves."""
_SELECTIVE = {
    "md5": "image_md5_of_owner",
    "source_url": "image_source_url",
    "parent": "image_parent",
}
"""Filters that few images match, and the index of each."""


class Filter(Struct, frozen=True, kw_only=True):
    """Which of an owner's images to list; None matches every image."""

    status: str | None = None  # of the newest job: a key of `_JOB_STATUSES`
    format: str | None = None
    md5: str | None = None
    parent: UUID | None = None
    filename: str | None = None  # a part of it; ASCII letters in either case
    tags: tuple[str, ...] = ()  # all of them, as they are stored
    source_url: str | None = None  # the whole
    min_size_bytes: int | None = None  # inclusive
    max_size_bytes: int | None = None  # inclusive
    has_alpha: bool | None = None
    public: bool | None = None
    camera: str | None = None  # a part of it; ASCII letters in either case
    created_after: datetime | None = None  # inclusive
    created_before: datetime | None = None  # exclusive


class Order(Struct, frozen=True):
    """The order of a list; images of equal value are in the order of their ids."""

    by: SortedBy = "id"
    descending: bool = True

    def key(self, image: Image) -> str | int | datetime | None:
        """Return the value by which an image is sorted, besides its id."""
        if self.by == "filename":
            return _lower(image.filename)
        return None if self.by == "id" else getattr(image, self.by)


class Place(Struct, frozen=True):
    """Where a page ends: the id of its last image, and the key by which that is sorted."""

    id: UUID
    key: Any = None  # text, a number or a time, as the order has it


NEWEST_FIRST = Order()


async def page(
    owner: int, filtered_by: Filter, *, limit: int, after: Place | None, order: Order = NEWEST_FIRST
) -> tuple[list[Image], int]:
    """Return at most `limit` images behind the place `after`, and the total that match.

    They come without their metadata.
    """
    counted = _statement("count(*) as total", owner, filtered_by, NEWEST_FIRST)
    total = await rows(Image.raw(counted[0], *counted[1]))
    text, values = _statement(f"{_id(filtered_by)} as id", owner, filtered_by, order)
    behind, place = _behind(after, filtered_by, order)
    ids = await rows(
        Image.raw(f"{text}{behind} order by {_sorted(filtered_by, order)} limit {{}}", *values, *place, limit)
    )
    found = {image.id: image for image in await images.by_ids([row["id"] for row in ids])}
    return [found[row["id"]] for row in ids if row["id"] in found], total[0]["total"]


def _statement(selected: str, owner: int, filtered_by: Filter, order: Order) -> SQL:
    """Return a query for what matches; tags alone are found without the images that have them."""
    tables: list[str] = []
    parts: list[SQL] = []
    for number, tag in enumerate(filtered_by.tags):
        tables.append(f"image_tag t{number}")
        parts.append((f"t{number}.owner = {{}} and t{number}.tag = {{}}", [owner, tag]))
        if number:
            parts.append((f"t{number}.image = t0.image", []))
    if order.by != "id" or _chosen(filtered_by) != {"tags"}:
        tables.append(f"image{_index(filtered_by, order)}")
        parts += [(f"image.owner = {{}} and {_VISIBLE}", [owner]), *_conditions(filtered_by)]
        if filtered_by.tags:
            parts.append(("image.id = t0.image", []))
    where, values = " and ".join(text for text, _ in parts), [one for _, values in parts for one in values]
    return f"select {selected} from {' cross join '.join(tables)} where {where}", values  # noqa: S608


def _chosen(filtered_by: Filter) -> set[str]:
    return {name for name in Filter.__struct_fields__ if getattr(filtered_by, name) not in (None, ())}


def _id(filtered_by: Filter) -> str:
    return "t0.image" if filtered_by.tags else "image.id"


def _sorted(filtered_by: Filter, order: Order) -> str:
    way = "desc" if order.descending else "asc"
    by_id = f"{_id(filtered_by)} {way}"
    return by_id if order.by == "id" else f"{_sort(order)} {way}, {by_id}"


def _behind(after: Place | None, filtered_by: Filter, order: Order) -> SQL:
    if after is None:
        return "", []
    sign = "<" if order.descending else ">"
    if order.by == "id":
        return f" and {_id(filtered_by)} {sign} {{}}", [after.id]
    return f" and ({_sort(order)}, {_id(filtered_by)}) {sign} ({{}}, {{}})", [after.key, after.id]


def _conditions(filtered_by: Filter) -> Iterator[SQL]:
    one = filtered_by
    if one.status is not None:
        yield f"{_NEWEST_JOB_STATUS} in {_JOB_STATUSES[one.status]}", []
    if one.filename is not None:
        yield f"{_lowered('filename')} like {{}} escape '!'", [_containing(one.filename)]
    if one.camera is not None:
        yield f"{_lowered('camera')} like {{}} escape '!'", [_containing(one.camera)]
    if one.source_url is not None:
        # `coalesce`, because SQLite replaces a column that equals a value by the value, in `substr` too
        yield "image.source_url is not null and substr(image.source_url, 1, 200) = {}", [one.source_url[:200]]
        yield "coalesce(image.source_url, '') = {}", [one.source_url]
    compared: tuple[tuple[str, object], ...] = (
        ("format =", one.format),
        ("md5 =", one.md5 and one.md5.lower()),
        ("parent =", one.parent),
        ("has_alpha =", one.has_alpha),
        ("public =", one.public),
        ("size_bytes >=", one.min_size_bytes),
        ("size_bytes <=", one.max_size_bytes),
        ("created_at >=", one.created_after),
        ("created_at <", one.created_before),
    )
    for comparison, value in compared:
        if value is not None:
            yield f"image.{comparison} {{}}", [value]


def _index(filtered_by: Filter, order: Order) -> str:
    """Return the hint with which SQLite uses the index that suits best."""
    chosen = _chosen(filtered_by)
    if _on_postgres():
        return ""
    for name, index in _SELECTIVE.items():
        if name in chosen:
            return f" indexed by {index}"
    if chosen & {"status", "format"}:
        return ""
    if chosen == {"has_alpha"} and order.by == "id":
        return " indexed by image_alpha"
    if chosen == {"public"} and order.by == "id":
        return " indexed by image_public"
    for by, index, ranges in _SORTS:
        if chosen <= ranges and (order.by == by or (order.by == "id" and chosen)):
            return f" indexed by {index}"
    return " indexed by image_listed"


def _sort(order: Order) -> str:
    return _lowered("filename") if order.by == "filename" else f"image.{order.by}"


def _lowered(column: str) -> str:
    """Return a text column with its ASCII letters in lower case, sorted by code points, on both engines."""
    return f'lower(image.{column} collate "C")' if _on_postgres() else f"lower(image.{column})"


def _lower(text: str) -> str:
    return text.encode().lower().decode()  # bytes: ASCII letters only, as in the databases


def _containing(text: str) -> str:
    escaped = "".join(f"!{one}" if one in "!%_" else one for one in _lower(text))
    return f"%{escaped}%"


def _on_postgres() -> bool:
    return isinstance(piccolo_conf.DB, PooledPostgres)
