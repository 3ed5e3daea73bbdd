"""Store a job, then wake a worker: the row is the truth, the message only a wake-up call."""

from uuid import UUID

from libs.backends import Backends
from libs.contracts.commands import EditImage, IngestImage, decode
from libs.contracts.edits import Edit
from libs.contracts.enums import JobKind
from libs.jobs.build import JobOptions
from libs.jobs.publish import publish
from libs.storage import accepted_orders, edit_calls, idempotency
from libs.storage.database.connection import transaction
from libs.storage.database.statement import insert
from libs.storage.database.tables import Job


async def submit(
    job: Job, backends: Backends, *, options: JobOptions | None = None, last: UUID | None = None
) -> Job:
    """Store a job, with the order's receipt or the request's idempotency key, and wake a worker.

    `last` is the job whose end answers the order, where that is a later one.

    Raises:
        DailyEditsUsed: The account has no edits left today; nothing is stored.
        OrderKnown: The owner has sent an order of that name before; nothing is stored.
        KeyInUse: Another request has the idempotency key; nothing is stored.
    """
    async with transaction():
        if options is not None and options.receipt is not None:
            await accepted_orders.add(options.receipt, job.id, last or job.id)
        await insert_job(job, backends)
        if options is not None:
            await idempotency.bind(options.reservation, job=job.id)
    await publish(job, backends)
    return job


async def insert_job(job: Job, backends: Backends) -> None:
    """Insert a job within the caller's transaction; the images of an edit count against today's limit.

    Raises:
        DailyEditsUsed: They would exceed it.
    """
    await count_edits(job, backends)
    await insert(job)


async def count_edits(job: Job, backends: Backends) -> None:
    """Count the images of a job's edit, if it has one, within the transaction that queues it.

    Raises:
        DailyEditsUsed: They would exceed today's limit.
    """
    edit = _requested_edit(job)
    if edit is not None:
        await edit_calls.admit(job.owner, edit.n, per_day=backends.settings.edits_per_day)


def _requested_edit(job: Job) -> Edit | None:
    """Return the edit that a job makes, or the one that follows on the image it fetches."""
    if job.kind not in (JobKind.EDIT, JobKind.INGEST):
        return None
    command = decode(job.command)
    if isinstance(command, EditImage):
        return command.edit
    return command.follow.edit if isinstance(command, IngestImage) and command.follow else None
