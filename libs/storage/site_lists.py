"""Pages of rows of all accounts, newest first, for operators, with how many rows match."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from piccolo.columns.combination import WhereRaw
from piccolo.table import Table

from libs.contracts.enums import JobStatus
from libs.storage import bounded_count, due_jobs, images, jobs
from libs.storage.bounded_count import Matching, Total
from libs.storage.database import piccolo_conf
from libs.storage.database.engine import rows
from libs.storage.database.sqlite import PooledSQLite
from libs.storage.database.statement import loaded
from libs.storage.database.tables import BaseUser, Batch, Image, Job, WebhookDelivery, first_id_since

T = TypeVar("T", bound=Table)

NOBODY = -1  # no account has this id
_INDEX: dict[str, str] = {JobStatus.RUNNING: "job_due", JobStatus.FAILED: "job_failed_by_id"}


async def owner_of(username: str | None) -> int | None:
    """Return the id of an account by its name, `NOBODY` if there is none, and None for None."""
    if username is None:
        return None
    found = await BaseUser.select(BaseUser.id).where(BaseUser.username == username)
    return found[0]["id"] if found else NOBODY


async def names_of(owners: Sequence[int]) -> dict[int, str]:
    """Return the names of accounts by their ids."""
    if not owners:
        return {}
    found = await BaseUser.select(BaseUser.id, BaseUser.username).where(BaseUser.id.is_in(list(set(owners))))
    return {row["id"]: row["username"] for row in found}


async def page_of_jobs(
    *,
    limit: int,
    after: UUID | None,
    owner: int | None = None,
    status: str | None = None,
    kind: str | None = None,
    error_code: str | None = None,
    since: datetime | None = None,
) -> tuple[list[Job], Total]:
    """Return at most `limit` jobs without their commands; an error code is that of failed jobs.

    Their ids are found first, by an index that SQLite would not choose without being told.
    """
    if error_code is not None:
        status = status or JobStatus.FAILED  # their index is short
    where: list[str] = []
    if status is not None:
        where.append(f"status = '{JobStatus(status).value}'")  # in the text: it must name a partial index
    if status == JobStatus.RUNNING:
        where.append(due_jobs.NOT_HELD_SQL)
    matching = Matching(" and ".join(where) or "true").also(
        {
            "owner = {}": owner,
            "kind = {}": kind,
            "error_code = {}": error_code,
            "id >= {}": None if since is None else first_id_since(since),
        }
    )
    index = _INDEX.get(status) if status and owner is None and _on_sqlite() else None
    source = f"job indexed by {index}" if index else "job"
    ids = await _ids(source, matching, after=after, limit=limit)
    found = {job.id: job for job in await jobs.by_ids(ids)}
    return [found[one] for one in ids if one in found], await bounded_count.of(source, matching)


async def page_of_images(
    *,
    limit: int,
    after: UUID | None,
    owner: int | None = None,
    filename: str | None = None,
    image_id: UUID | None = None,
) -> tuple[list[Image], Total]:
    """Return at most `limit` images, also those being deleted; `filename` is a part of it, in either case.

    They come without their metadata. A name is looked for in an index of all names, which takes longer the
    more images there are.
    """
    matching = Matching().also(
        {
            "owner = {}": owner,
            "id = {}": image_id,
            "lower(filename) like {} escape '!'": filename and containing(filename),
        }
    )
    total = await bounded_count.of("image", matching)
    ids = await _ids("image", matching, after=after, limit=limit)
    if not ids:
        return [], total
    found = cast("Any", Image).select(*images.SHOWN).where(Image.id.is_in(ids))
    shown = {row["id"]: loaded(Image, row) for row in await rows(found)}
    return [shown[one] for one in ids if one in shown], total


async def page_of_batches(
    *, limit: int, after: UUID | None, owner: int | None = None, status: str | None = None
) -> tuple[list[Batch], Total]:
    """Return at most `limit` batches."""
    matching = Matching().also({"owner = {}": owner, "status = {}": status})
    return await page_of(Batch, matching, after=after, limit=limit)


async def page_of_deliveries(
    *,
    limit: int,
    after: UUID | None,
    owner: int | None = None,
    status: str | None = None,
    webhook: UUID | None = None,
) -> tuple[list[WebhookDelivery], Total]:
    """Return at most `limit` webhook deliveries."""
    matching = Matching().also({"owner = {}": owner, "status = {}": status, "endpoint = {}": webhook})
    return await page_of(WebhookDelivery, matching, after=after, limit=limit)


async def page_of(
    table: type[T], matching: Matching, *, limit: int, after: object | None
) -> tuple[list[T], Total]:
    """Return at most `limit` rows of a table that match, newest first; `after` is the id of a row."""
    page = matching.also({"id < {}": after})
    query: Any = table.objects().where(WhereRaw(page.text, *page.values))
    found = await query.order_by("id", ascending=False).limit(limit)
    name = table._meta.tablename  # pyright: ignore[reportPrivateUsage]
    return found, await bounded_count.of(name, matching)


def containing(text: str) -> str:
    """Return the pattern of `like ... escape '!'` for a part of a text in lower case."""
    escaped = "".join(f"!{one}" if one in "!%_" else one for one in text.lower())
    return f"%{escaped}%"


async def _ids(source: str, matching: Matching, *, after: UUID | None, limit: int) -> list[UUID]:
    page = matching.also({"id < {}": after})
    query = f"select id from {source} where {page.text} order by id desc limit {{}}"  # noqa: S608 - our own text
    return [row["id"] for row in await rows(Job.raw(query, *page.values, limit))]


def _on_sqlite() -> bool:
    return isinstance(piccolo_conf.DB, PooledSQLite)
