"""Check a request before anything is stored: one gate for every way in."""

from collections.abc import Sequence
from typing import ClassVar

from libs.backends import Backends
from libs.contracts.edits import Edit
from libs.contracts.outcome import Outcome
from libs.imaging.errors import AssetMissing
from libs.imaging.operations import AnyOperation, Watermark
from libs.jobs import quotas
from libs.storage import images, jobs
from libs.storage.database.tables import BaseUser


class TooManyOperations(Exception):
    """The list of operations is longer than allowed."""

    code = "too_many_operations"
    outcome: ClassVar[Outcome] = "refused"


class EditsNotConfigured(jobs.JobError):
    """This installation has no image model: `DARKROOM_OPENAI_API_KEY` is not set."""

    code = "edits_not_configured"

    def __init__(self) -> None:
        super().__init__("edits are switched off on this site")


async def check(
    owner: BaseUser,
    backends: Backends,
    *,
    operations: Sequence[AnyOperation] = (),
    edit: Edit | None = None,
    webhook_url: str | None = None,
    more_bytes: int = 0,
    reserved_bytes: int = 0,
) -> None:
    """Check all that one job needs: the model, the webhook's URL, operations, other images and quotas.

    Raises:
        EditsNotConfigured: The job is an edit, and there is no model.
        UrlForbidden: The guard refuses the webhook's URL.
        TooManyOperations: There are more operations than the limit.
        ImageNotFound, AssetMissing: A mask or watermark is not an image of the owner.
        TooManyJobs, QuotaExceeded: The account has no room.
    """
    if edit is not None:
        await check_edit(edit, owner, backends)
    if webhook_url is not None:
        backends.guard.check_url(webhook_url)
    await check_operations(operations, owner, backends)
    await quotas.check(owner, backends, more_bytes=more_bytes, reserved_bytes=reserved_bytes)


async def check_edit(edit: Edit, owner: BaseUser, backends: Backends) -> None:
    """Check that there is a model, and that the mask is an image of the owner.

    Raises:
        EditsNotConfigured, ImageNotFound: One of them is missing.
    """
    require_edits(backends)
    if edit.mask is not None:
        await images.owned_by(owner.id, edit.mask)


def require_edits(backends: Backends) -> None:
    """Check that this installation has an image model.

    Raises:
        EditsNotConfigured: It has none.
    """
    if not backends.settings.edits:
        raise EditsNotConfigured


async def check_operations(operations: Sequence[AnyOperation], owner: BaseUser, backends: Backends) -> None:
    """Check the number of operations, and that the owner has every image that a watermark names.

    Raises:
        TooManyOperations, ImageNotFound, AssetMissing: The first fault found.
    """
    limit = backends.settings.max_operations
    if len(operations) > limit:
        raise TooManyOperations(f"{len(operations)} operations, the limit is {limit}")
    for operation in operations:
        if not isinstance(operation, Watermark):
            continue
        if operation.image_id is not None:
            await images.owned_by(owner.id, operation.image_id)
        elif operation.part is not None:
            raise AssetMissing(operation.part)
