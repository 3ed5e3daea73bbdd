"""Queue operations over a stored image."""

from collections.abc import Sequence

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.enums import Retention
from libs.imaging.operations import AnyOperation
from libs.jobs import admission, build
from libs.jobs.build import JobOptions
from libs.jobs.submit import submit
from libs.storage.database.tables import BaseUser, Image, Job


class TransformStored(Struct, frozen=True, kw_only=True):
    """Run operations over a stored image; the result is a new image with a retention of its own."""

    owner: BaseUser
    image: Image
    operations: Sequence[AnyOperation]
    options: JobOptions
    retention: Retention = Retention.EPHEMERAL


async def transform(command: TransformStored, backends: Backends) -> Job:
    """Queue the job.

    Raises:
        UrlForbidden, TooManyOperations, ImageNotFound, AssetMissing, TooManyJobs: Nothing is queued.
        OrderKnown: As `submit`.
    """
    owner, options = command.owner, command.options
    await admission.check(owner, backends, operations=command.operations, webhook_url=options.webhook_url)
    keep = command.retention == Retention.KEEP
    job = build.transform_job(command.image, owner, command.operations, options, keep=keep)
    return await submit(job, backends, options=options)
