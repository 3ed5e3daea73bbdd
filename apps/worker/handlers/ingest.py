"""Fetch a file from a URL, the inbox or a staged upload; store it as an image, or as an image's bytes."""

import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from apps.worker.worker_pool import Done, WorkerPool
from libs.backends import Backends
from libs.contracts.commands import IngestImage
from libs.contracts.enums import ImageStatus, Retention
from libs.contracts.events import BatchCompleted
from libs.images import artifact, attempt_files, expiry, watermark_sources
from libs.images.artifact import Artifact
from libs.imaging.describe import Description, describe
from libs.imaging.errors import EmptyFile, FileTooLarge, NotAnImage
from libs.imaging.hashing import signed64
from libs.imaging.header import read_header
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import Rendered
from libs.imaging.render_and_describe import render_and_describe
from libs.jobs import build
from libs.jobs.publish import publish
from libs.outbound import Fetched, UrlNotAnImage, Validators, is_data_url
from libs.outbound.response_body import save_body
from libs.runtime.threads import SCRATCH
from libs.storage import account_usage, image_descriptions, image_sources, images, jobs, object_keys
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image, ImageSource, Job
from libs.storage.image_errors import QuotaExceeded
from libs.storage.leases import Claim


class Fetch(Protocol):
    """Fetch a URL into a file: `Fetcher.fetch`, or its rate-limited form."""

    async def __call__(
        self, url: str, target: Path, *, known: Validators | None = None
    ) -> Fetched | None: ...


class Examined(Struct, frozen=True):
    """What was fetched, the file to store, and its description."""

    fetched: Fetched
    path: Path
    file: Rendered
    description: Description


class Ingest:
    """One attempt at an ingest job."""

    def __init__(
        self, command: IngestImage, claim: Claim, pool: WorkerPool, fetch: Fetch, old: Image | None
    ) -> None:
        self.command = command
        self.claim = claim
        self.pool = pool
        self.backends: Backends = pool.backends
        self.fetch = fetch
        self.old = old  # the image whose bytes are replaced
        self.received = self.backends.scratch / f"{claim.job_id}.{claim.attempt}"
        self.rendered = self.received.with_name(f"{self.received.name}.made")

    async def run(self) -> Done:
        """Fetch, examine and store; with operations, store only what they make of the file."""
        command = self.command
        fetched = await self._fetched()
        if fetched is None:
            return await self._unchanged()
        same = await image_sources.same_bytes(self.claim.owner, fetched.md5) if command.reuse else None
        if same is not None:
            return await self._reused(same)
        if command.operations is None:
            found = await self._examined(fetched)
        else:
            found = await self._rendered(fetched, command.operations)
        await self._check_quota(found)
        if self.claim.attempt > 1:
            await attempt_files.clear_attempts(command, self.claim.created_at, self.backends)
        return await (self._stored(found) if self.old is None else self._replaced(found, self.old))

    async def _fetched(self) -> Fetched | None:
        """Put the source's bytes at `received`; return None when a server says that they have not changed."""
        source = self.command.source
        if source.url is not None:
            return await self.fetch(source.url, self.received, known=await self._validators(source.url))
        if source.object is not None:
            return await _from_inbox(source.object, self.received, self.backends)
        assert source.image_id is not None, "a source is one of the three"  # noqa: S101
        upload = await images.owned_by(self.claim.owner, source.image_id)
        async with watermark_sources.file_of(upload, self.backends) as path:
            await SCRATCH.run(shutil.copyfile, path, self.received)
        return Fetched(
            filename=upload.filename, size_bytes=upload.size_bytes, md5=upload.md5, validators=Validators()
        )

    async def _validators(self, url: str) -> Validators | None:
        """Return validators for a conditional request, if the image to replace came from the same URL."""
        if self.old is None or self.old.source_url != url:
            return None
        source = await image_sources.source_of(self.old.id)
        return Validators(etag=source.etag, last_modified=source.last_modified) if source else None

    async def _examined(self, fetched: Fetched) -> Examined:
        """Decode the file as it was received.

        Raises:
            UrlNotAnImage: The fetched file is not an image.
            ImagingError: It cannot be read, or exceeds a limit.
        """
        with _not_an_image(fetched_from_url=self.command.source.url is not None):
            header = await self.pool.run(read_header, self.received, self.pool.limits)
        description = await self.pool.run(describe, self.received, self.pool.limits)
        file = artifact.as_received(header, size_bytes=fetched.size_bytes, md5=fetched.md5)
        return Examined(fetched, self.received, file, description)

    async def _rendered(self, fetched: Fetched, operations: Sequence[AnyOperation]) -> Examined:
        """Run the operations over the file and describe the result, in one call of a render process.

        Raises:
            UrlNotAnImage, ImagingError: As `_examined`.
            ImageNotFound: Another image that an operation needs is gone.
        """
        async with watermark_sources.opened(operations, self.claim.owner, self.backends) as others:
            with _not_an_image(fetched_from_url=True):
                done = await self.pool.run(
                    render_and_describe,
                    self.received,
                    self.rendered,
                    operations,
                    self.pool.limits,
                    assets=others,
                )
        return Examined(fetched, self.rendered, done.rendered, done.description)

    async def _check_quota(self, found: Examined) -> None:
        if self.command.source.image_id is not None:
            return  # a staged upload was checked when it came, and counts already
        replaced_bytes = self.old.size_bytes if self.old else 0
        held = (await account_usage.of(self.claim.owner)).stored_bytes - replaced_bytes
        limit = self.backends.settings.quota_bytes
        if held + found.file.size_bytes > limit:
            raise QuotaExceeded(f"the account would hold more than {limit} bytes")

    async def _unchanged(self) -> Done:
        assert self.old is not None, "only a known file can be unchanged"  # noqa: S101
        values = self._requested_changes(self.old, filename=self.command.filename)
        await image_sources.complete_unchanged(self.claim, self.old, values)
        return Done(self.old)

    async def _reused(self, same: Image) -> Done:
        following = self._following(same)
        await image_sources.complete_with(self.claim, same.id, followed_by=following)
        for job in following:
            await publish(job, self.backends)
        return Done(same)

    def _following(self, image: Image) -> list[Job]:
        """Build the jobs that were requested together with the image."""
        command, request_id = self.command, self.claim.request_id
        ahead = build.rendering_job(image, command.owner, command.renditions, request_id)
        follow = build.following_job(command, image, request_id)
        return [job for job in (ahead, follow) if job is not None]

    async def _stored(self, found: Examined) -> Done:
        image = self._row(found)
        following = self._following(image)
        source = _source_of(image, found.fetched) if self.command.operations is None else None

        async def record() -> BatchCompleted | None:
            return await image_sources.complete(
                self.claim, image, source, followed_by=following, fetched_bytes=found.fetched.size_bytes
            )

        batch = await artifact.store([self._artifact(image, found)], record, self.backends)
        for job in following:
            await publish(job, self.backends)
        return Done(image, batch)

    async def _replaced(self, found: Examined, old: Image) -> Done:
        fresh = self._row(found)
        values = self._requested_changes(old)

        async def record() -> UUID:
            return await image_sources.complete_replacing(
                self.claim, old, fresh, values, _source_of(fresh, found.fetched)
            )

        former = await artifact.store([self._artifact(fresh, found)], record, self.backends)
        for marked in (former, self.command.source.image_id):
            if marked is not None:
                await expiry.remove_marked(marked, self.backends)
        return Done(fresh)

    def _artifact(self, image: Image, found: Examined) -> Artifact:
        return Artifact(image=image, path=found.path, owner=self.command.owner, job_id=self.claim.job_id)

    def _requested_changes(self, image: Image, *, filename: str | None = None) -> dict[Any, Any]:
        return images.changed_columns(
            image,
            filename=filename,
            retention=self.command.retention,
            tags=self.command.tags,
            public=self.command.public,
            undownloaded_s=self.backends.settings.expire_undownloaded_s,
        )

    def _row(self, found: Examined) -> Image:
        command, file, old = self.command, found.file, self.old
        filename = command.filename or (old.filename if old else found.fetched.filename) or "image"
        url = command.source.url
        return artifact.new_image(
            file,
            image_id=command.target,
            owner=self.claim.owner,
            filename=filename,
            object_key=object_keys.object_key(
                command.owner,
                attempt_files.key_name(command),
                filename,
                file.extension,
                folder=attempt_files.folder(command),
                when=self.claim.created_at,
                attempt=self.claim.attempt,
            ),
            retention=Retention(old.retention) if old else command.retention or Retention.KEEP,
            undownloaded_s=self.backends.settings.expire_undownloaded_s,
            source_url=None if url is None or is_data_url(url) else url,
            phash=signed64(found.description.phash),
            hash_version=found.description.hash_version,
            metadata=msgspec.json.encode(found.description).decode(),
            has_alpha=found.description.has_alpha,
            camera=image_descriptions.camera_of(found.description),
            blurhash=found.description.blurhash,
            tags=images.tags_column(command.tags or ()),
            public=command.public or False,
            status=ImageStatus.READY,
        )


async def ingest(command: IngestImage, claim: Claim, pool: WorkerPool, fetch: Fetch) -> Done:
    """Run one attempt at an ingest job; its temporary files are removed at the end."""
    old = await images.owned_by(claim.owner, command.target) if command.replaces else None
    attempt = Ingest(command, claim, pool, fetch, old)
    try:
        done = await attempt.run()
        if command.source.url is not None and is_data_url(command.source.url):
            with suppress(DatabaseUnavailable):  # it goes with the history
                await jobs.forget_source(command)
        return done
    finally:
        attempt.received.unlink(missing_ok=True)
        attempt.rendered.unlink(missing_ok=True)


async def _from_inbox(key: str, target: Path, backends: Backends) -> Fetched:
    """Copy an object of the inbox.

    Raises:
        ObjectNotFound: There is none.
        FileTooLarge: It is larger than an upload may be.
    """
    limit = backends.settings.max_upload_bytes
    async with backends.objects.read(key, length=limit + 1) as chunks:
        received = await save_body(chunks, target, max_bytes=limit + 1)
    if received.size_bytes > limit:
        raise FileTooLarge(received.size_bytes, limit)
    return Fetched(
        filename=key.rpartition("/")[2],
        size_bytes=received.size_bytes,
        md5=received.md5,
        validators=Validators(),
    )


def _source_of(image: Image, fetched: Fetched) -> ImageSource:
    validators = fetched.validators
    return ImageSource(image=image.id, etag=validators.etag, last_modified=validators.last_modified)


@contextmanager
def _not_an_image(*, fetched_from_url: bool) -> Generator[None]:
    try:
        yield
    except (NotAnImage, EmptyFile) as error:
        if not fetched_from_url:
            raise
        raise UrlNotAnImage(f"the URL does not hold an image: {error}") from error
