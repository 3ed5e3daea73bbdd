"""Making an image of what was fetched, uploaded or dropped into the inbox, or the new bytes of one."""

import asyncio
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from apps.worker.handlers.transform import DELIVERY_GRACE_S, WorkerPool, limits_of
from libs.backends import Backends
from libs.contracts.commands import IngestImage
from libs.contracts.enums import ImageStatus, Retention
from libs.contracts.events import BatchCompleted
from libs.images import expiry, watermark_sources
from libs.images.from_url import following
from libs.imaging.describe import Description, describe
from libs.imaging.errors import EmptyFile, FileTooLarge, NotAnImage
from libs.imaging.hashing import signed64
from libs.imaging.header import read_header
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import Rendered
from libs.imaging.render_and_describe import render_and_describe
from libs.jobs.publish import publish
from libs.outbound import Fetched, UrlNotAnImage, Validators, is_data_url
from libs.outbound.response_body import save_body
from libs.runtime.background import run_to_completion
from libs.storage import account_usage, filenames, image_sources, images, object_keys
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image, ImageSource, Job, now
from libs.storage.image_errors import QuotaExceeded
from libs.storage.leases import Claim

log = structlog.get_logger(__name__)


class Fetch(Protocol):
    """How a URL's bytes are had: `Fetcher.fetch`, or what is more considerate of the host."""

    async def __call__(
        self, url: str, target: Path, *, known: Validators | None = None
    ) -> Fetched | None: ...


class Examined(Struct, frozen=True):
    """What was fetched, the file that is to be kept, and all that was found out about that."""

    fetched: Fetched
    file: Path
    kept: Rendered
    description: Description


class Ingested(Struct, frozen=True):
    """The image, and the batch of which this was the last job."""

    image: Image
    batch: BatchCompleted | None = None


class Stored(Struct, frozen=True):
    """What else came of ending the job: the row of a file that was replaced, a batch that ended."""

    former: UUID | None = None
    batch: BatchCompleted | None = None


async def ingest(message: IngestImage, claim: Claim, pool: WorkerPool, fetch: Fetch) -> Ingested:
    """Fetch the source; store it as one new image, or in the place of the target's bytes.

    With operations, what they make of it is stored, and nothing else.
    """
    backends = pool.backends
    old = await images.owned_by(claim.owner, message.target) if message.replaces else None
    file = backends.scratch / f"{claim.job_id}.{claim.attempt}"
    made = file.with_name(f"{file.name}.made")
    try:
        fetched = await _taken(message, claim, old, file, pool.backends, fetch)
        if fetched is None:
            assert old is not None, "only what is known can be unchanged"  # noqa: S101
            wished = _wished(message, old, backends, filename=message.filename)
            await image_sources.complete_replacing(claim, old, wished, None)
            return Ingested(old)
        same = await image_sources.same_bytes(claim.owner, fetched.md5) if message.reuse else None
        if same is not None:
            return await _reused(message, claim, same, backends)
        if message.operations is None:
            found = await _examined(message, fetched, file, pool)
        else:
            found = await _developed(fetched, file, made, message.operations, claim.owner, pool)
        await _check_quota(message, claim, found, old, backends)
        if claim.attempt > 1:
            await expiry.clear_attempts(message, claim.created_at, backends)
        return await _stored(message, claim, found, old, backends)
    finally:
        file.unlink(missing_ok=True)
        made.unlink(missing_ok=True)


async def _taken(
    message: IngestImage, claim: Claim, old: Image | None, file: Path, backends: Backends, fetch: Fetch
) -> Fetched | None:
    """The source's bytes, at `file` from now on; None when a server says that we have them."""
    source = message.source
    if source.url is not None:
        return await fetch(source.url, file, known=await _known(source.url, old))
    if source.object is not None:
        return await _from_inbox(source.object, file, backends)
    assert source.image_id is not None, "one of the three is given"  # noqa: S101
    upload = await images.owned_by(claim.owner, source.image_id)
    async with watermark_sources.file_of(upload, backends) as path:
        await asyncio.to_thread(shutil.copyfile, path, file)
    return Fetched(
        filename=upload.filename, size_bytes=upload.size_bytes, md5=upload.md5, validators=Validators()
    )


async def _from_inbox(key: str, file: Path, backends: Backends) -> Fetched:
    """A copy of an object that somebody put into the inbox.

    Raises:
        ObjectNotFound: There is none.
        FileTooLarge: It is larger than an upload may be.
    """
    limit = backends.settings.max_upload_bytes
    async with backends.objects.read(key, length=limit + 1) as chunks:
        received = await save_body(chunks, file, max_bytes=limit + 1)
    if received.size_bytes > limit:
        raise FileTooLarge(received.size_bytes, limit)
    return Fetched(
        filename=key.rpartition("/")[2],
        size_bytes=received.size_bytes,
        md5=received.md5,
        validators=Validators(),
    )


async def _examined(message: IngestImage, fetched: Fetched, file: Path, pool: WorkerPool) -> Examined:
    """Decode the file in a child.

    Raises:
        UrlNotAnImage: What was fetched is none.
        ImagingError: It is one that cannot be read or goes beyond a limit.
    """
    limits, timeout_s = limits_of(pool.backends), pool.backends.settings.job_timeout_s
    with _not_an_image(fetched_so=message.source.url is not None):
        header = await pool.processes.run(timeout_s, read_header, file, limits)
    description = await pool.processes.run(timeout_s, describe, file, limits)
    kept = Rendered(
        format=header.format,
        mime=header.mime,
        extension=header.extension,
        width=header.width,
        height=header.height,
        frames=header.frames,
        size_bytes=fetched.size_bytes,
        md5=fetched.md5,
    )
    return Examined(fetched, file, kept, description)


async def _developed(
    fetched: Fetched,
    file: Path,
    made: Path,
    operations: Sequence[AnyOperation],
    owner: int,
    pool: WorkerPool,
) -> Examined:
    """Run the operations over the file and describe the result, both in one call of a child.

    Raises:
        UrlNotAnImage, ImagingError: As `_examined`.
        ImageNotFound: Another image that an operation needs is gone.
    """
    limits, timeout_s = limits_of(pool.backends), pool.backends.settings.job_timeout_s
    async with watermark_sources.opened(operations, owner, pool.backends) as others:
        with _not_an_image(fetched_so=True):
            done = await pool.processes.run(
                timeout_s, render_and_describe, file, made, operations, limits, assets=others
            )
    return Examined(fetched, made, done.rendered, done.description)


@contextmanager
def _not_an_image(*, fetched_so: bool) -> Generator[None]:
    try:
        yield
    except (NotAnImage, EmptyFile) as error:
        if not fetched_so:
            raise
        raise UrlNotAnImage(f"what is at the address is no image: {error}") from error


async def _known(url: str, old: Image | None) -> Validators | None:
    """What to ask for conditionally: only the version that we hold, from where we have it."""
    if old is None or old.source_url != url:
        return None
    source = await image_sources.source_of(old.id)
    return Validators(etag=source.etag, last_modified=source.last_modified) if source else None


async def _reused(message: IngestImage, claim: Claim, same: Image, backends: Backends) -> Ingested:
    follow = following(message, same, claim.request_id)
    await image_sources.complete_with(claim, same.id, followed_by=follow)
    if follow is not None:
        await publish(follow, backends)
    return Ingested(same)


async def _check_quota(
    message: IngestImage, claim: Claim, found: Examined, old: Image | None, backends: Backends
) -> None:
    if message.source.image_id is not None:
        return  # an upload has passed this, and counts already
    held = (await account_usage.of(claim.owner)).stored_bytes - (old.size_bytes if old else 0)
    if held + found.kept.size_bytes > backends.settings.quota_bytes:
        raise QuotaExceeded(f"the account would hold more than {backends.settings.quota_bytes} bytes")


async def _stored(
    message: IngestImage, claim: Claim, found: Examined, old: Image | None, backends: Backends
) -> Ingested:
    image = _image_of(message, claim, found, old, backends)
    follow = following(message, image, claim.request_id)
    stored = await run_to_completion(
        _deliver(message, claim, image, old, found, follow, backends), grace_s=DELIVERY_GRACE_S
    )
    if follow is not None:
        await publish(follow, backends)
    for done_with in (stored.former, message.source.image_id if message.replaces else None):
        if done_with is not None:
            await expiry.remove_marked(done_with, backends)
    return Ingested(image, stored.batch)


async def _deliver(
    message: IngestImage,
    claim: Claim,
    image: Image,
    old: Image | None,
    found: Examined,
    follow: Job | None,
    backends: Backends,
) -> Stored:
    """Store the file and end the job; an object without its row is taken back."""
    labels = {
        "owner": message.owner,
        "image-id": str(image.id),
        "md5": image.md5,
        "job-id": str(claim.job_id),
    }
    await backends.objects.put(image.object_key, found.file, content_type=image.mime, metadata=labels)
    said = found.fetched.validators
    source = ImageSource(image=image.id, etag=said.etag, last_modified=said.last_modified)
    try:
        if old is not None:
            row = image.to_dict()
            values = {name: row[name] for name in images.FILE_COLUMNS} | _wished(message, old, backends)
            return Stored(former=await image_sources.complete_replacing(claim, old, values, source))
        completed = await image_sources.complete(
            claim,
            image,
            source if message.operations is None else None,
            followed_by=follow,
            fetched_bytes=found.fetched.size_bytes,
        )
        return Stored(batch=completed)
    except DatabaseUnavailable:
        raise  # it may have been committed; the next attempt clears what this one left
    except Exception:
        await backends.objects.delete([image.object_key])
        raise


def _wished(
    message: IngestImage, image: Image, backends: Backends, *, filename: str | None = None
) -> dict[Any, Any]:
    return images.changed_columns(
        image,
        filename=filename,
        retention=message.retention,
        undownloaded_s=backends.settings.expire_undownloaded_s,
    )


def _image_of(
    message: IngestImage, claim: Claim, found: Examined, old: Image | None, backends: Backends
) -> Image:
    file, url = found.kept, message.source.url
    name = message.filename or (old.filename if old else found.fetched.filename) or "image"
    kept = message.retention != Retention.EPHEMERAL
    moment = now()
    ends = moment + timedelta(seconds=backends.settings.expire_undownloaded_s)
    return Image(
        id=message.target,
        expiry_group=message.target,
        owner=claim.owner,
        filename=filenames.with_extension(name, file.extension),
        source_url=None if url is None or is_data_url(url) else url,
        object_key=object_keys.object_key(
            message.owner,
            expiry.slot(message),
            name,
            file.extension,
            folder=expiry.folder(message),
            when=claim.created_at,
            attempt=claim.attempt,
        ),
        format=file.format,
        mime=file.mime,
        width=file.width,
        height=file.height,
        frames=file.frames,
        size_bytes=file.size_bytes,
        md5=file.md5,
        phash=signed64(found.description.phash),
        metadata=msgspec.json.encode(found.description).decode(),
        status=ImageStatus.READY,
        retention=old.retention if old else (Retention.KEEP if kept else Retention.EPHEMERAL),
        expires_at=None if kept else ends,
        created_at=moment,
        updated_at=moment,
    )
