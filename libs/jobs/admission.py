"""Edits before they are queued: whether they may be, and the job that carries them."""

from collections.abc import Sequence
from uuid import UUID

from libs.backends import Backends
from libs.contracts.commands import EditImage, Source
from libs.contracts.edits import Edit
from libs.contracts.enums import Priority
from libs.imaging.operations import AnyOperation
from libs.storage import edit_calls, images, jobs
from libs.storage.database.statement import insert
from libs.storage.database.tables import BaseUser, Image, Job, new_id


class EditsNotConfigured(jobs.JobError):
    """This installation has no image model: `DARKROOM_OPENAI_API_KEY` is not set."""

    code = "edits_not_configured"

    def __init__(self) -> None:
        super().__init__("edits are switched off on this site")


async def check(edit: Edit, owner: BaseUser, backends: Backends) -> None:
    """See that there is a model, and that the mask is the owner's.

    Raises:
        EditsNotConfigured: There is no model on this site.
        ImageNotFound: The mask is none of the owner's images.
    """
    if not backends.settings.edits:
        raise EditsNotConfigured
    if edit.mask is not None:
        await images.owned_by(owner.id, edit.mask)


def edit_job(
    source: Image | None,
    owner: BaseUser,
    edit: Edit,
    operations: Sequence[AnyOperation],
    *,
    keep: bool,
    shares_expiry: bool,
    request_id: str | None,
    webhook_url: str | None = None,
    submission: UUID | None = None,
) -> Job:
    """A job that edits `source`, or makes images of the prompt alone; not stored yet."""
    message = EditImage(
        job_id=new_id(),
        owner=owner.username,
        submission=submission,
        source=None if source is None else Source(image_id=source.id),
        edit=edit,
        operations=tuple(operations),
        target=new_id(),
        keep=keep,
        shares_expiry=shares_expiry,
    )
    return jobs.new(
        message,
        owner=owner.id,
        priority=Priority.INTERACTIVE,
        request_id=request_id,
        webhook_url=webhook_url,
    )


async def insert_admitted(job: Job, owner: int, edit: Edit | None, backends: Backends) -> None:
    """Store a new job; the images of an edit count as asked for today. Within a transaction.

    Raises:
        DailyEditsUsed: They would be more than an account may ask for.
    """
    if edit is not None:
        await edit_calls.admit(owner, edit.n, per_day=backends.settings.edits_per_day)
    await insert(job)
