"""Queue the fetching of an image, from a URL or the store's inbox; nothing is fetched here."""

from collections.abc import Sequence

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.commands import IngestImage, IngestSource
from libs.contracts.edits import Edit
from libs.contracts.enums import Retention
from libs.images import retention
from libs.images.render_ahead import check_presets
from libs.imaging.operations import AnyOperation
from libs.jobs import admission, build
from libs.jobs.build import JobOptions
from libs.jobs.submit import submit
from libs.outbound import is_data_url
from libs.storage.database.tables import BaseUser, Job, new_id


class FetchImage(Struct, frozen=True, kw_only=True):
    """Fetch a file and store it as a new image; with operations or an edit, make a result of it too."""

    owner: BaseUser
    source: IngestSource
    options: JobOptions
    filename: str | None = None  # None: as the URL has it
    retention: Retention | None = None  # None: the default of the settings
    result_retention: Retention | None = None  # None: that of the fetched image
    operations: Sequence[AnyOperation] | None = None
    edit: Edit | None = None  # runs before the operations
    tags: tuple[str, ...] = ()
    public: bool = False
    renditions: tuple[str, ...] = ()  # presets to render ahead
    reuse: bool = False  # return the owner's kept image with the same bytes instead of a second one


async def fetch_image(command: FetchImage, backends: Backends) -> Job:
    """Queue the fetch, and with it the job that follows; the last of them calls the webhook.

    Raises:
        UrlForbidden: The text of the URL shows that it is forbidden.
        EditsNotConfigured, TooManyOperations, ImageNotFound, AssetMissing, TooManyJobs, DailyEditsUsed:
            Nothing is queued.
        ImageNotKept, PresetNotFound: Likewise.
        OrderKnown: As `submit`.
    """
    owner, options = command.owner, command.options
    check_source(command.source, backends)
    await admission.check(
        owner,
        backends,
        operations=command.operations or (),
        edit=command.edit,
        webhook_url=options.webhook_url,
    )
    await check_presets(owner.id, command.renditions)
    follow = build.follow_up(
        command.operations, command.edit, options.priority, retention=command.result_retention
    )
    kept = retention.of_upload(command.retention, backends.settings, has_result=follow is not None)
    retention.require_kept(kept, public=command.public, renditions=command.renditions)
    ingest = IngestImage(
        job_id=new_id(),
        owner=owner.username,
        order=options.order,
        source=command.source,
        target=new_id(),
        filename=command.filename,
        retention=kept,
        tags=command.tags or None,
        public=command.public or None,
        renditions=command.renditions,
        reuse=command.reuse,
        follow=follow,
    )
    last = follow.job_id if follow else None
    return await submit(options.row(ingest, owner), backends, options=options, last=last)


def check_source(source: IngestSource, backends: Backends) -> None:
    """Check the URL of a source against the guard, without resolving its name.

    Raises:
        UrlForbidden: The guard refuses it.
    """
    if source.url is not None and not is_data_url(source.url):
        backends.guard.check_url(source.url)
