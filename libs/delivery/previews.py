"""Previews: what operations make of a stored image, rendered for one answer and stored nowhere."""

from collections.abc import Sequence
from uuid import uuid4

from msgspec import Struct

from libs.backends import Backends
from libs.delivery.render_queue import RenderQueue
from libs.delivery.result_size import Sizes
from libs.images import focal_point, watermark_sources
from libs.imaging.draft import draft_of
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import Rendered, render
from libs.imaging.plan import make_plan
from libs.jobs import admission
from libs.runtime.process_pool import ProcessPool
from libs.runtime.threads import SCRATCH
from libs.storage.database.tables import BaseUser, Image

PROCESSES = 3  # of one image two: a draft need not wait for a whole result
QUEUE = 8  # previews that wait; a person waits for one at a time
WAIT_S = 10.0


class ShowPreview(Struct, frozen=True, kw_only=True):
    """Show what operations make of an image."""

    owner: BaseUser
    image: Image
    operations: Sequence[AnyOperation]
    draft: bool


class Preview(Struct, frozen=True):
    """The file that was rendered."""

    rendered: Rendered
    body: bytes


class Previews:
    """Renders previews in processes of their own, which start with the first request."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        pool = ProcessPool("previews", PROCESSES, memory_bytes=backends.settings.job_memory_bytes)
        self._queue = RenderQueue(pool, processes=PROCESSES, limit=QUEUE, wait_s=WAIT_S)

    async def show(self, command: ShowPreview) -> Preview:
        """Render the result, or a draft of it. It is no download, and counts for no quota.

        Raises:
            QueueFull: Too many previews wait.
            TooManyOperations, ImageNotFound, AssetMissing: The operations are not allowed.
            ImagingError, RenderError: The image cannot be rendered so.
            ObjectNotFound, StoreUnavailable: Its file cannot be read.
        """
        backends, image = self._backends, command.image
        with self._queue.admitted(image.id, command.owner.id):
            await admission.check_operations(command.operations, command.owner, backends)
            operations = await focal_point.resolved(tuple(command.operations), image, backends)
            if command.draft:
                facts = (await Sizes.of(image, backends)).facts
                operations = draft_of(
                    operations, make_plan(facts, operations, backends.settings.image_limits)
                )
            return await self._rendered(image, command.owner, operations)

    async def close(self) -> None:
        """End the render processes."""
        await self._queue.close()

    async def _rendered(self, image: Image, owner: BaseUser, operations: Sequence[AnyOperation]) -> Preview:
        settings = self._backends.settings
        target = self._backends.scratch / f"preview-{uuid4()}"
        try:
            async with (
                watermark_sources.file_of(image, self._backends) as source,
                watermark_sources.opened(operations, owner.id, self._backends) as assets,
            ):
                rendered = await self._queue.run(
                    image.id,
                    settings.job_timeout_s,
                    render,
                    source,
                    target,
                    operations,
                    settings.image_limits,
                    assets=assets,
                )
            return Preview(rendered, await SCRATCH.run(target.read_bytes))
        finally:
            target.unlink(missing_ok=True)
