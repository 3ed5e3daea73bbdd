"""Create batches from CSV files, retry their failures, delete them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from libs.backends import Backends
from libs.batches.csv_file import CsvLimits, Sheet, read_csv
from libs.batches.job_maker import job_maker
from libs.batches.stored_sheet import encode_head, encode_row, stored_rows
from libs.contracts.enums import OnMissingImage, Retention
from libs.images.render_ahead import check_presets
from libs.images.retention import require_kept
from libs.imaging.operations import AnyOperation, Compress, Convert
from libs.jobs import admission
from libs.jobs.cancel import publish_cancelled
from libs.runtime.threads import PARSING
from libs.storage import batches
from libs.storage.batches import NewItem, NewJob
from libs.storage.database.tables import BaseUser, Batch, new_id, new_ids, now
from libs.storage.idempotency import Reservation
from libs.storage.jobs import TooManyJobs

DEFAULT_OPERATIONS: tuple[AnyOperation, ...] = (Convert(format="jpeg"), Compress(quality=50))
FILENAME_CHARS = 255


class CreateBatch(Struct, frozen=True, kw_only=True):
    """Fetch every URL of a CSV file, run operations over each image, and keep the results."""

    owner: BaseUser
    path: Path  # of the received CSV file
    filename: str
    operations: Sequence[AnyOperation] | None = None  # None: DEFAULT_OPERATIONS
    retention: Retention = Retention.KEEP
    public: bool = False  # whether the results are
    renditions: tuple[str, ...] = ()  # presets to render ahead of each result
    on_missing_image: OnMissingImage = OnMissingImage.REFUSE
    webhook_url: str | None = None
    request_id: str
    reservation: Reservation | None = None  # of the request's idempotency key


async def create_batch(command: CreateBatch, backends: Backends) -> Batch:
    """Store a batch with a held job for each different URL; the throttle of its host releases it.

    Raises:
        BadCsv, UrlForbidden, TooManyJobs, TooManyOperations, ImageNotKept, PresetNotFound: Nothing is stored.
    """
    owner = command.owner
    require_kept(command.retention, public=command.public, renditions=command.renditions)
    await check_presets(owner.id, command.renditions)
    operations = DEFAULT_OPERATIONS if command.operations is None else tuple(command.operations)
    await admission.check_operations(operations, owner, backends)
    if command.webhook_url is not None:
        backends.guard.check_url(command.webhook_url)
    sheet = await PARSING.run(
        read_csv, command.path, _limits(backends), backends.guard, command.on_missing_image
    )
    total = sum(len(row.urls) for row in sheet.rows)
    await check_room(owner, total, backends)
    batch = Batch(
        id=new_id(),
        owner=owner.id,
        filename=command.filename[-FILENAME_CHARS:],
        operations=msgspec.json.encode(operations).decode(),
        retention=command.retention,
        public=command.public,
        renditions=msgspec.json.encode(command.renditions).decode(),
        columns=encode_head(sheet),
        total=total,
        webhook_url=command.webhook_url,
        created_at=now(),
    )
    items, jobs = await PARSING.run(_planned, sheet, job_maker(batch, owner))
    await batches.create(batch, items, jobs, command.request_id, command.reservation)
    return batch


class RetryBatch(Struct, frozen=True, kw_only=True):
    """Fetch the failed URLs of a batch again."""

    owner: BaseUser
    batch: Batch
    request_id: str
    reservation: Reservation | None = None  # of the request's idempotency key


async def retry_batch(command: RetryBatch, backends: Backends) -> Batch:
    """Queue the batch's failed URLs again, and return the batch.

    Raises:
        TooManyJobs: The account's batches have no room for it.
        BatchNotFound: The batch was deleted meanwhile.
    """
    batch, owner = command.batch, command.owner
    await check_room(owner, batch.failed, backends)
    await batches.retry(batch, job_maker(batch, owner), command.request_id, command.reservation)
    return await batches.owned_by(owner.id, batch.id)


async def delete(batch: Batch, owner: BaseUser, backends: Backends) -> None:
    """Delete a batch; its outputs are hidden at once, and the scheduler removes their files."""
    await publish_cancelled(await batches.remove(batch.id), owner.username, backends)


async def check_room(owner: BaseUser, more: int, backends: Backends) -> None:
    """Check that the unfinished URLs of all the account's batches fit the limit of one batch.

    Raises:
        TooManyJobs: They do not.
    """
    settings = backends.settings
    limit = settings.csv_max_rows * settings.csv_max_urls
    if await batches.count_unfinished(owner.id) + more > limit:
        raise TooManyJobs(f"the account's batches may have {limit} unfinished URLs")


def _planned(sheet: Sheet, make: Callable[[str], NewJob]) -> tuple[list[NewItem], list[NewJob]]:
    """Build an item for each URL and a job for each different URL; ids ascend in the order of the file."""
    ids = new_ids()
    jobs: dict[str, NewJob] = {}
    items: list[NewItem] = []
    for row, stored in zip(sheet.rows, stored_rows(sheet), strict=True):
        cells = encode_row(stored) if stored is not None else None
        for position, url in enumerate(row.urls, 1):
            if url not in jobs:
                jobs[url] = make(url)
            items.append(
                NewItem(next(ids), row.serial_number, row.product_name, position, url, jobs[url].id, cells)
            )
            cells = None
    return items, list(jobs.values())


def _limits(backends: Backends) -> CsvLimits:
    settings = backends.settings
    return CsvLimits(
        max_rows=settings.csv_max_rows,
        max_urls=settings.csv_max_urls,
        max_cell_chars=settings.csv_max_bytes,
    )
