"""Replace the bytes of a stored image; what was made of the former bytes stays as images of its own."""

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.commands import IngestImage, IngestSource
from libs.contracts.enums import Retention
from libs.images import expiry, retention
from libs.images.from_url import check_source
from libs.images.upload import CreateImage, Upload, create_image
from libs.jobs import quotas
from libs.jobs.build import JobOptions
from libs.jobs.submit import submit
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import BaseUser, Image, Job, new_id


class ReplaceImage(Struct, frozen=True, kw_only=True):
    """Put other bytes in the place of an image's, with their hashes and metadata, in one step."""

    owner: BaseUser
    image: Image
    source: str | Upload  # a URL, or a received file, which is consumed
    options: JobOptions
    filename: str | None = None  # None: stays
    retention: Retention | None = None  # None: stays
    tags: tuple[str, ...] | None = None  # None: stay
    public: bool | None = None  # None: stays


async def replace_image(command: ReplaceImage, backends: Backends) -> Job:
    """Queue the replacement; the image stays as it is until its new bytes are stored.

    A received file is stored meanwhile as an ephemeral image of its own.

    Raises:
        UrlForbidden, TooManyJobs, QuotaExceeded, StoreUnavailable, ImageNotKept: Nothing is queued, nothing
            is stored.
    """
    kept = command.retention or Retention(command.image.retention)
    retention.require_kept(kept, public=command.public or False, renditions=())
    if isinstance(command.source, str):
        return await _submit(command, IngestSource(url=command.source), backends)
    staged, _ = await create_image(
        CreateImage(
            owner=command.owner,
            upload=command.source,
            options=JobOptions(request_id=command.options.request_id),
            retention=Retention.EPHEMERAL,
        ),
        backends,
    )
    try:
        return await _submit(command, IngestSource(image_id=staged.id), backends)
    except DatabaseUnavailable:
        raise  # the job may be queued; if not, the staged file expires
    except Exception:
        await expiry.discard(staged, command.owner, backends)
        raise


async def _submit(command: ReplaceImage, source: IngestSource, backends: Backends) -> Job:
    check_source(source, backends)
    await quotas.check(command.owner, backends)
    ingest = IngestImage(
        job_id=new_id(),
        owner=command.owner.username,
        source=source,
        target=command.image.id,
        replaces=True,
        filename=command.filename,
        retention=command.retention,
        tags=command.tags,
        public=command.public,
    )
    return await submit(command.options.row(ingest, command.owner), backends, options=command.options)
