"""Have a stored image hashed and described while the client waits."""

from apps.api.context import RequestContext
from apps.api.responses import image_views
from apps.api.responses.waiting import done_in_time, prefer_wait_s
from apps.http.request_log import request_id
from libs.contracts.enums import Priority
from libs.contracts.views.images import ImageMetadata
from libs.images.queue_description import queue_description
from libs.storage import images
from libs.storage.database.tables import Image, Job
from libs.storage.image_errors import ImageNotReady


async def describe_in_time(image: Image, context: RequestContext) -> Job | None:
    """Describe a stored image now; return the job when it is not done in time.

    Raises:
        JobFailed: The image cannot be described.
    """
    job = await queue_description(
        image, context.caller, context.backends, request_id=request_id(), priority=Priority.INTERACTIVE
    )
    done = await done_in_time(job, context.event_streams, prefer_wait_s(context))
    return None if done else job


async def metadata_of(image: Image, context: RequestContext) -> ImageMetadata | Job:
    """Return the metadata of a stored image, or the job when it is not described in time.

    Raises:
        JobFailed: The image cannot be decoded.
        ImageNotReady: It was replaced meanwhile.
    """
    found = image_views.metadata(image)
    if found is not None:
        return found
    job = await describe_in_time(image, context)
    if job is not None:
        return job
    found = image_views.metadata(await images.owned_by(context.caller.id, image.id))
    if found is None:
        raise ImageNotReady("the image was replaced meanwhile; try again")
    return found
