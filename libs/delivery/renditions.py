"""Renditions: found in the cache, or rendered once and stored, whoever asks how often at the same time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.contracts.outcome import outcome_of
from libs.delivery.render_queue import RenderQueue
from libs.delivery.short_memory import ShortMemory
from libs.delivery.wanted import Wanted
from libs.images import focal_point, watermark_sources
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import Rendered, render
from libs.runtime.process_pool import ProcessPool
from libs.runtime.threads import SCRATCH, ServerBusy
from libs.settings import Settings
from libs.storage import object_keys, renditions
from libs.storage.database.delivery_tables import Rendition
from libs.storage.database.tables import Image, now
from libs.storage.objects import Digest

LEASE_S = 5.0  # after which another process renders what a process that died had claimed
EXTEND_EVERY_S = 1.5
POLL_S = 0.05  # while another process renders
INLINE_BYTES = 1024**2  # results up to this size are sent before they are stored
MAX_STORING = 16  # results that are being stored while others are rendered
FAULT_S = 60.0  # for which a fault of the image or its steps is remembered

log = structlog.get_logger(__name__)


class Found(Struct, frozen=True, kw_only=True):
    """A rendition that can be sent: its bytes, or the key under which they are stored."""

    mime: str
    extension: str
    size_bytes: int
    md5: str
    hit: bool  # whether it was stored already
    stored: bool  # whether it is, or is about to be
    body: bytes | None = None
    object_key: str | None = None
    render_ms: float = 0.0


class _Result(Struct, frozen=True):
    """A rendered file that is to be stored."""

    rendered: Rendered
    file: Path
    key: str
    source: UUID | str


class Renditions:
    """The renditions of one process: its render processes, and what they work on."""

    def __init__(self, backends: Backends, queue: RenderQueue | None = None) -> None:
        self._backends = backends
        self._queue = queue or _own_queue(backends.settings)
        self._making: dict[str, asyncio.Task[Found]] = {}
        self._storing: set[asyncio.Task[None]] = set()
        self._faults: ShortMemory[str, Exception] = ShortMemory(size=2000, keep_s=FAULT_S)

    async def get(self, wanted: Wanted) -> Found:
        """Return a rendition from the cache; render it if it is not there.

        Raises:
            QueueFull: Too many renders wait.
            ImagingError, RenderError, FetchError: The source cannot be rendered so, which is remembered.
            StorageError: The source cannot be read.
        """
        fault = self._faults.get(wanted.digest)
        if fault is not None:
            raise fault
        if wanted.stored:
            row = await renditions.find(wanted.digest)
            if row is not None:
                await renditions.note_use(row)
                return _of_row(row)
        making = self._making.get(wanted.digest)
        if making is None:
            making = asyncio.create_task(self._make(wanted))
            self._making[wanted.digest] = making
            making.add_done_callback(lambda _: self._making.pop(wanted.digest, None))
        return await asyncio.shield(making)

    async def forget(self, wanted: Wanted) -> None:
        """Forget a rendition whose object is missing, so that it is rendered again."""
        row = await renditions.find(wanted.digest)
        if row is not None:
            log.warning("rendition_lost", key=row.object_key)
            await renditions.drop(row.id)

    async def start(self) -> None:
        """Start the render processes, so that the first rendition does not wait for them."""
        await self._queue.start()

    async def storing_ended(self) -> None:
        """Wait until what is rendered by now is stored, or could not be."""
        if self._storing:
            await asyncio.wait(set(self._storing))

    async def close(self) -> None:
        """Store what is rendered, and end the render processes."""
        for task in list(self._making.values()):
            task.cancel()
        await self.storing_ended()
        await self._queue.close()

    async def _make(self, wanted: Wanted) -> Found:
        with self._queue.admitted(wanted.source_id, wanted.owner):
            try:
                return await self._rendered_once(wanted) if wanted.stored else await self._unstored(wanted)
            except Exception as error:
                if outcome_of(error) in ("permanent", "refused"):
                    self._faults.put(wanted.digest, error)
                raise

    async def _rendered_once(self, wanted: Wanted) -> Found:
        """Render under a claim, or wait for the process that holds it."""
        clock = asyncio.get_running_loop().time
        until = clock() + self._backends.settings.job_timeout_s * 2 + LEASE_S
        while clock() < until:
            claim_id = await renditions.claim(
                wanted.digest,
                owner=wanted.owner,
                image=wanted.source.id if isinstance(wanted.source, Image) else None,
                preset=wanted.preset,
                lease_s=LEASE_S,
            )
            if claim_id is not None:
                return await self._render_and_store(wanted, claim_id)
            row = await renditions.find(wanted.digest)
            if row is not None:
                return _of_row(row)
            await asyncio.sleep(POLL_S)
        raise ServerBusy("another process renders this for too long")

    async def _render_and_store(self, wanted: Wanted, claim_id: UUID) -> Found:
        lease = asyncio.create_task(_keep(claim_id))
        target = self._backends.scratch / f"rendition-{uuid4()}"
        try:
            rendered, render_ms = await self._render(wanted, target)
            small = rendered.size_bytes <= INLINE_BYTES
            body = await SCRATCH.run(target.read_bytes) if small else None
        except BaseException:
            lease.cancel()
            target.unlink(missing_ok=True)
            with suppress(Exception):  # the lease runs out by itself
                await renditions.give_up(claim_id)
            raise
        key = object_keys.rendition_key(wanted.source_id, wanted.digest, claim_id, rendered.extension)
        result = _Result(rendered, target, key, wanted.source_id)
        storing = asyncio.create_task(self._store(result, claim_id, lease))
        self._storing.add(storing)
        storing.add_done_callback(self._storing.discard)
        if body is None or len(self._storing) > MAX_STORING:
            await asyncio.shield(storing)
        return _found(rendered, body, key, render_ms)

    async def _store(self, result: _Result, claim_id: UUID, lease: asyncio.Task[None]) -> None:
        """Put the file into the object store and record it; what cannot be stored is rendered again later."""
        try:
            await self._backends.objects.put(
                result.key,
                result.file,
                content_type=result.rendered.mime,
                metadata={"source": str(result.source)},
                expected=Digest(result.rendered.size_bytes, result.rendered.md5),
            )
            recorded = await renditions.complete(claim_id, _columns(result.rendered, result.key))
            if not recorded:  # the image was deleted, or the preset changed
                await self._backends.objects.delete([result.key])
        except Exception as error:
            if outcome_of(error) is None:
                log.exception("rendition_not_stored", key=result.key)
            else:
                log.warning("rendition_not_stored", key=result.key, error=str(error))
            with suppress(Exception):  # the lease runs out by itself
                await renditions.give_up(claim_id)
        finally:
            lease.cancel()
            result.file.unlink(missing_ok=True)

    async def _unstored(self, wanted: Wanted) -> Found:
        target = self._backends.scratch / f"rendition-{uuid4()}"
        try:
            rendered, render_ms = await self._render(wanted, target)
            body = await SCRATCH.run(target.read_bytes)
        finally:
            target.unlink(missing_ok=True)
        return _found(rendered, body, None, render_ms)

    async def _render(self, wanted: Wanted, target: Path) -> tuple[Rendered, float]:
        clock = asyncio.get_running_loop().time
        settings = self._backends.settings
        async with self._source(wanted) as source, self._assets(wanted) as assets:
            operations = await self._operations(wanted)
            started = clock()
            rendered = await self._queue.run(
                wanted.source_id,
                settings.job_timeout_s,
                render,
                source,
                target,
                operations,
                settings.image_limits,
                assets=assets,
            )
        render_ms = (clock() - started) * 1000
        log.info(
            "rendition_rendered",
            source=str(wanted.source_id),
            digest=wanted.digest,
            format=rendered.format,
            bytes=rendered.size_bytes,
            ms=round(render_ms, 1),
        )
        return rendered, render_ms

    async def _operations(self, wanted: Wanted) -> tuple[AnyOperation, ...]:
        """Return the operations with the focal point of a stored image; a remote one has none."""
        if isinstance(wanted.source, str):
            return wanted.operations
        return await focal_point.resolved(wanted.operations, wanted.source, self._backends)

    @asynccontextmanager
    async def _source(self, wanted: Wanted) -> AsyncGenerator[Path]:
        if isinstance(wanted.source, Image):
            async with watermark_sources.file_of(wanted.source, self._backends) as path:
                yield path
            return
        path = self._backends.scratch / f"remote-{uuid4()}"
        try:
            async with self._backends.fetcher() as fetcher:
                await fetcher.fetch(wanted.source, path)
            yield path
        finally:
            path.unlink(missing_ok=True)

    @asynccontextmanager
    async def _assets(self, wanted: Wanted) -> AsyncGenerator[dict[str, Path]]:
        if wanted.owner is None:
            yield {}
            return
        async with watermark_sources.opened(wanted.operations, wanted.owner, self._backends) as assets:
            yield assets


def _own_queue(settings: Settings) -> RenderQueue:
    processes = settings.delivery_processes
    pool = ProcessPool("renditions", processes, memory_bytes=settings.job_memory_bytes)
    return RenderQueue(pool, processes=processes, limit=settings.delivery_queue)


async def _keep(claim_id: UUID) -> None:
    """Extend a claim until cancelled; while the database is away, the lease may run out."""
    while True:
        await asyncio.sleep(EXTEND_EVERY_S)
        with suppress(Exception):
            await renditions.extend(claim_id, lease_s=LEASE_S)


def _columns(rendered: Rendered, key: str) -> dict[Any, Any]:
    return {
        Rendition.object_key: key,
        Rendition.format: rendered.format,
        Rendition.mime: rendered.mime,
        Rendition.width: rendered.width,
        Rendition.height: rendered.height,
        Rendition.size_bytes: rendered.size_bytes,
        Rendition.md5: rendered.md5,
        Rendition.used_at: now(),
    }


def _found(rendered: Rendered, body: bytes | None, key: str | None, render_ms: float) -> Found:
    """Describe what was rendered just now; without a key it is not stored."""
    return Found(
        mime=rendered.mime,
        extension=rendered.extension,
        size_bytes=rendered.size_bytes,
        md5=rendered.md5,
        hit=False,
        stored=key is not None,
        body=body,
        object_key=key,
        render_ms=render_ms,
    )


def _of_row(row: Rendition) -> Found:
    return Found(
        mime=row.mime,
        extension=row.object_key.rpartition(".")[2],
        size_bytes=row.size_bytes,
        md5=row.md5,
        hit=True,
        stored=True,
        object_key=row.object_key,
    )
