"""Functions over batches and their items, as their owners see them; `batch_counters` counts them."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

import msgspec
from msgspec import Struct
from piccolo.engine.postgres import PostgresEngine

from libs.contracts.enums import BatchStatus, ImageStatus, ItemStatus, JobKind, JobStatus, Priority
from libs.contracts.outcome import Outcome
from libs.runtime import tracing
from libs.runtime.threads import PARSING
from libs.storage import idempotency
from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.tables import Batch, Image, Job, ProductImage, now
from libs.storage.idempotency import Reservation

ROWS_A_STATEMENT = 5000
PAGE = 1000
UNFINISHED = [BatchStatus.PENDING, BatchStatus.IN_PROCESS]

# Whole tables of values in one JSON parameter: thousands of placeholders take longer to build than to run.
POSTGRES = ("jsonb_array_elements({}::jsonb) as each(value)", "(each.value->>%d)%s")
SQLITE = ("json_each({}) as each", "json_extract(each.value, '$[%d]')")
JOBS = (
    "insert into job (id, command, summary, kind, image, host, held, owner, priority, status, attempts,"
    " publish_at, batch, request_id, traceparent, created_at)"
    " select {id}, {command}, {summary}, {kind}, {image}, {host}, {host} is not null, {{}}, {{}}, {{}}, 0,"
    " {{}}, {{}}, {{}}, {{}}, {{}} from {each}"
)
ITEMS = (
    "insert into product_image (id, serial_number, product_name, position, input_url, job, cells, batch,"
    " status)"
    " select {id}, {serial_number}, {product_name}, {position}, {input_url}, {job}, {cells}, {{}}, 'pending'"
    " from {each}"
)
AGAIN = (
    "update product_image set job = (select {job} from {each} where {id} = product_image.id)"
    " where id in (select {id} from {each})"
)
OUTPUTS = (
    "select item.id, item.serial_number, item.product_name, item.position, item.input_url, item.status,"
    " item.error_code, item.error, item.cells, image.id as output, image.object_key, image.format"
    " from product_image item left join image on image.id = item.output and image.status <> 'deleting'"
    " where item.batch = {} and item.id > {} order by item.id limit {}"
)
OUTPUTS_DONE = OUTPUTS.replace("order by", "and item.status = 'completed' order by")
COLUMNS = {
    "job": {
        "id": "uuid",
        "command": "json",
        "summary": "json",
        "kind": "text",
        "image": "uuid",
        "host": "text",
    },
    "item": {
        "id": "uuid",
        "serial_number": "bigint",
        "product_name": "text",
        "position": "integer",
        "input_url": "text",
        "job": "uuid",
        "cells": "json",
    },
    "again": {"id": "uuid", "job": "uuid"},
}


class BatchNotFound(Exception):
    """There is no such batch, or it belongs to another account."""

    code = "batch_not_found"
    outcome: ClassVar[Outcome] = "refused"


class NewJob(Struct, frozen=True, array_like=True):
    """A job of a batch, as it is inserted."""

    id: UUID
    command: str
    summary: str
    kind: JobKind
    image: UUID | None  # the source; None: the job fetches it
    host: str | None  # to fetch from, whose throttle holds the job; None: it is published as any other


class NewItem(Struct, frozen=True, array_like=True):
    """An item of a batch, as it is inserted."""

    id: UUID
    serial_number: int
    product_name: str
    position: int
    input_url: str
    job: UUID
    cells: str | None


class Output(Struct, frozen=True, kw_only=True):
    """The result of one item; `object_key` is None once the image is deleted."""

    id: UUID
    serial_number: int
    product_name: str
    position: int
    input_url: str
    status: str
    error_code: str | None
    error: str | None
    cells: str | None
    output: UUID | None
    object_key: str | None
    format: str | None


async def create(
    batch: Batch,
    items: Sequence[NewItem],
    jobs: Sequence[NewJob],
    request_id: str,
    reservation: Reservation | None = None,
) -> None:
    """Store a batch, its jobs and its items in one transaction of a few statements.

    Raises:
        KeyInUse: Another request has the idempotency key; nothing is stored.
    """
    async with transaction():
        await batch.save()
        await _insert_jobs(batch, jobs, request_id)
        for chunk in _chunks(items):
            await ProductImage.raw(_sql(ITEMS, "item"), batch.id, _json(chunk))
        await idempotency.bind(reservation, subject=batch.id)


async def by_id(batch_id: UUID) -> Batch:
    """Return a batch of any owner.

    Raises:
        BatchNotFound: There is none.
    """
    batch = await Batch.objects().where(Batch.id == batch_id).first()
    if batch is None:
        raise BatchNotFound(f"there is no batch {batch_id}")
    return batch


async def owned_by(owner: int, batch_id: UUID) -> Batch:
    """Return the owner's batch.

    Raises:
        BatchNotFound: There is none, or it belongs to another account.
    """
    batch = await Batch.objects().where((Batch.id == batch_id) & (Batch.owner == owner)).first()
    if batch is None:
        raise BatchNotFound(f"there is no batch {batch_id}")
    return batch


async def by_ids(batch_ids: Sequence[UUID]) -> list[Batch]:
    """Return those of the batches that exist, in no particular order."""
    return await Batch.objects().where(Batch.id.is_in(list(batch_ids))) if batch_ids else []


async def page(owner: int, *, status: str | None, limit: int, after: UUID | None) -> tuple[list[Batch], int]:
    """Return at most `limit` batches, newest first, older than `after`; and the count of all matches."""
    conditions = [Batch.owner == owner]
    if status is not None:
        conditions.append(Batch.status == status)
    total = cast("int", await Batch.count().where(*conditions))
    if after is not None:
        conditions.append(Batch.id < after)
    return await Batch.objects().where(*conditions).order_by(Batch.id, ascending=False).limit(limit), total


async def items(
    batch_id: UUID, *, status: str | None, limit: int, after: UUID | None
) -> tuple[list[ProductImage], int]:
    """Return at most `limit` items in file order, behind `after`; and the count of all matches."""
    conditions = [ProductImage.batch == batch_id]
    if status is not None:
        conditions.append(ProductImage.status == status)
    total = cast("int", await ProductImage.count().where(*conditions))
    if after is not None:
        conditions.append(ProductImage.id > after)
    return await ProductImage.objects().where(*conditions).order_by(ProductImage.id).limit(limit), total


async def errors_of(batch_id: UUID) -> dict[str, int]:
    """Count the failed items by error code."""
    found = await rows(
        ProductImage.raw(
            "select error_code, count(*) as items from product_image"
            " where batch = {} and status = 'failed' group by error_code order by items desc, error_code",
            batch_id,
        )
    )
    return {row["error_code"]: row["items"] for row in found}


async def count_unfinished(owner: int) -> int:
    """Count the unfinished items of all the owner's batches."""
    found = await rows(
        Batch.raw(
            "select coalesce(sum(total - completed - failed), 0) as unfinished from batch"
            " where owner = {} and status in ('Pending', 'In Process')",
            owner,
        )
    )
    return int(found[0]["unfinished"])


async def outputs(batch_id: UUID, *, only_done: bool = False) -> AsyncIterator[Output]:
    """Yield the results of all items in file order, reading one page of rows at a time."""
    after = UUID(int=0)
    statement = OUTPUTS_DONE if only_done else OUTPUTS
    while True:
        found = await rows(ProductImage.raw(statement, batch_id, after, PAGE))
        for row in found:
            yield msgspec.convert(row, Output)
        if len(found) < PAGE:
            return
        after = found[-1]["id"]


async def retry(
    batch: Batch,
    job_for: Callable[[str], NewJob],
    request_id: str,
    reservation: Reservation | None = None,
) -> int:
    """Create new jobs for the failed items, one for each URL; return how many items run again.

    Of two retries at the same time, one finds them.
    """
    async with transaction():
        await Batch.update({Batch.failed: Batch.failed + 0}).where(
            Batch.id == batch.id
        )  # `remove` waits here
        failed: list[dict[str, Any]] = await (
            ProductImage.update(
                {
                    ProductImage.status: ItemStatus.PENDING,
                    ProductImage.error_code: None,
                    ProductImage.error: None,
                }
            )
            .where((ProductImage.batch == batch.id) & (ProductImage.status == ItemStatus.FAILED))
            .returning(ProductImage.id, ProductImage.input_url)
        )
        urls = list(dict.fromkeys(row["input_url"] for row in failed))
        jobs = dict(zip(urls, await PARSING.run(lambda: [job_for(url) for url in urls]), strict=True))
        await _insert_jobs(batch, list(jobs.values()), request_id)
        for chunk in _chunks([(row["id"], jobs[row["input_url"]].id) for row in failed]):
            table = _json(chunk)
            await ProductImage.raw(_sql(AGAIN, "again"), table, table)
        if failed:
            values: dict[Any, Any] = {
                Batch.failed: Batch.failed - len(failed),
                Batch.status: BatchStatus.IN_PROCESS,
                Batch.finished_at: None,
            }
            await Batch.update(values).where(Batch.id == batch.id)
        await idempotency.bind(reservation, subject=batch.id)
    return len(failed)


async def remove(batch_id: UUID) -> list[UUID]:
    """Delete a batch and its jobs, and mark its outputs as deleting; return the jobs that were running."""
    outputs = cast(
        "Any",
        ProductImage.select(ProductImage.output).where(
            (ProductImage.batch == batch_id) & ProductImage.output.is_not_null()
        ),
    )
    async with transaction():
        # Jobs first: this waits for transactions that end one, so that their outputs are among those below.
        stopped = await rows(
            Job.delete().where((Job.batch == batch_id) & (Job.status == JobStatus.RUNNING)).returning(Job.id)
        )
        await Job.delete().where(Job.batch == batch_id)
        await Batch.update({Batch.finished_at: now()}).where(Batch.id == batch_id)
        await Job.delete().where(Job.batch == batch_id)  # those of a retry that this waited for
        await Image.update({Image.status: ImageStatus.DELETING}).where(Image.id.is_in(outputs))
        await Batch.delete().where(Batch.id == batch_id)
    return [row["id"] for row in stopped]


async def _insert_jobs(batch: Batch, jobs: Sequence[NewJob], request_id: str) -> None:
    moment: datetime = now()
    for chunk in _chunks(jobs):
        await Job.raw(
            _sql(JOBS, "job"),
            batch.owner,
            Priority.BULK.value,
            JobStatus.QUEUED.value,
            moment,
            batch.id,
            request_id,
            tracing.traceparent(),
            moment,
            _json(chunk),
        )


def _sql(statement: str, table: str) -> str:
    """Complete a statement for the engine in use, so that it reads its rows from a JSON parameter."""
    postgres = isinstance(Batch._meta.db, PostgresEngine)  # pyright: ignore[reportPrivateUsage]
    source, cell = POSTGRES if postgres else SQLITE
    cells = {
        name: cell % ((nth, f"::{kind}") if postgres else nth)
        for nth, (name, kind) in enumerate(COLUMNS[table].items())
    }
    return statement.format(each=source, **cells)


def _json(values: Sequence[object]) -> str:
    return msgspec.json.encode(values).decode()


def _chunks(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[start : start + ROWS_A_STATEMENT] for start in range(0, len(values), ROWS_A_STATEMENT)]
