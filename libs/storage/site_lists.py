"""Pages of rows of all accounts, newest first, for operators.

They have no totals: counting a million rows takes longer than showing any page.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from libs.contracts.enums import JobStatus
from libs.storage import due_jobs, images, jobs
from libs.storage.database import piccolo_conf
from libs.storage.database.engine import rows
from libs.storage.database.sqlite import PooledSQLite
from libs.storage.database.statement import loaded
from libs.storage.database.tables import BaseUser, Batch, Image, Job, WebhookDelivery, first_id_since

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
) -> list[Job]:
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
    compared = {
        "owner =": owner,
        "kind =": kind,
        "error_code =": error_code,
        "id >=": None if since is None else first_id_since(since),
        "id <": after,
    }
    given = {comparison: value for comparison, value in compared.items() if value is not None}
    where += [f"{comparison} {{}}" for comparison in given]
    index = _INDEX.get(status) if status and owner is None and _on_sqlite() else None
    hint = f" indexed by {index}" if index else ""
    condition = f" where {' and '.join(where)}" if where else ""
    query = f"select id from job{hint}{condition} order by id desc limit {{}}"  # noqa: S608 - our own text
    ids = await rows(Job.raw(query, *given.values(), limit))
    found = {job.id: job for job in await jobs.by_ids([row["id"] for row in ids])}
    return [found[row["id"]] for row in ids if row["id"] in found]


async def page_of_images(
    *,
    limit: int,
    after: UUID | None,
    owner: int | None = None,
    filename: str | None = None,
    image_id: UUID | None = None,
) -> list[Image]:
    """Return at most `limit` images, also those being deleted; `filename` is a part of it, in either case.

    They come without their metadata. A name is looked for in an index of all names, which takes longer the
    more images there are.
    """
    where: dict[str, Any] = {
        "owner = {}": owner,
        "id = {}": image_id,
        "id < {}": after,
        "lower(filename) like {} escape '!'": filename and containing(filename),
    }
    given = {condition: value for condition, value in where.items() if value is not None}
    condition = f" where {' and '.join(given)}" if given else ""
    query = f"select id from image{condition} order by id desc limit {{}}"  # noqa: S608 - our own text
    ids = [row["id"] for row in await rows(Image.raw(query, *given.values(), limit))]
    if not ids:
        return []
    found = cast("Any", Image).select(*images.SHOWN).where(Image.id.is_in(ids))
    shown = {row["id"]: loaded(Image, row) for row in await rows(found)}
    return [shown[one] for one in ids if one in shown]


async def page_of_batches(
    *, limit: int, after: UUID | None, owner: int | None = None, status: str | None = None
) -> list[Batch]:
    """Return at most `limit` batches."""
    query = Batch.objects().order_by(Batch.id, ascending=False).limit(limit)
    for column, value in ((Batch.owner, owner), (Batch.status, status)):
        if value is not None:
            query = query.where(column == value)
    return await (query if after is None else query.where(Batch.id < after))


async def page_of_deliveries(
    *, limit: int, after: UUID | None, owner: int | None = None, status: str | None = None
) -> list[WebhookDelivery]:
    """Return at most `limit` webhook deliveries."""
    query: Any = WebhookDelivery.objects().order_by(WebhookDelivery.id, ascending=False).limit(limit)
    for column, value in ((WebhookDelivery.owner, owner), (WebhookDelivery.status, status)):
        if value is not None:
            query = query.where(column == value)
    return cast(
        "list[WebhookDelivery]", await (query if after is None else query.where(WebhookDelivery.id < after))
    )


def containing(text: str) -> str:
    """Return the pattern of `like ... escape '!'` for a part of a text in lower case."""
    escaped = "".join(f"!{one}" if one in "!%_" else one for one in text.lower())
    return f"%{escaped}%"


def _on_sqlite() -> bool:
    return isinstance(piccolo_conf.DB, PooledSQLite)
