"""Queue the description of a stored image: its perceptual hash and metadata."""

from libs.backends import Backends
from libs.contracts.enums import Priority
from libs.jobs import build
from libs.jobs.submit import submit
from libs.storage import jobs
from libs.storage.database.tables import BaseUser, Image, Job


async def queue_description(
    image: Image, owner: BaseUser, backends: Backends, *, request_id: str, priority: Priority
) -> Job:
    """Return the job that hashes a stored image and reads its metadata: the unfinished one, or a new one."""
    unfinished = await jobs.describing(image.id)
    if unfinished is not None:
        return unfinished
    return await submit(build.describe_job(image, owner.username, request_id, priority=priority), backends)
