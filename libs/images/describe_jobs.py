"""Having a stored image described: decoded whole, and hashed."""

from libs.backends import Backends
from libs.contracts.commands import DescribeImage, Source
from libs.contracts.enums import Priority, Retention
from libs.jobs.publish import publish
from libs.storage import jobs
from libs.storage.database.statement import insert
from libs.storage.database.tables import BaseUser, Image, Job, new_id


async def describe(
    image: Image,
    owner: BaseUser,
    backends: Backends,
    *,
    request_id: str,
    priority: Priority = Priority.INTERACTIVE,
) -> Job:
    """The job that describes a stored image: the one under way, or a new one."""
    under_way = await jobs.describing(image.id)
    if under_way is not None:
        return under_way
    job = describe_job(image, owner.username, request_id, priority=priority)
    await insert(job)
    await publish(job, backends)
    return job


def hashing_of(image: Image, owner: BaseUser, request_id: str) -> Job | None:
    """The job that gives a kept image its hash; not stored yet.

    To be made before what else is queued with it: an image shows its newest job.
    """
    if image.retention != Retention.KEEP:
        return None
    return describe_job(image, owner.username, request_id)


def describe_job(
    image: Image, username: str, request_id: str | None, *, priority: Priority = Priority.BULK
) -> Job:
    """A job that describes `image`; not stored yet."""
    message = DescribeImage(job_id=new_id(), owner=username, source=Source(image_id=image.id))
    return jobs.new(message, owner=image.owner, priority=priority, request_id=request_id)
