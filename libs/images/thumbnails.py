"""Thumbnails of stored images: rendered when first requested, then stored beside the image."""

import asyncio
from pathlib import Path

import structlog

from libs.backends import Backends
from libs.imaging.operations import Convert, Frames, Resize
from libs.imaging.pipeline import render
from libs.runtime.process_pool import ProcessPool
from libs.runtime.threads import SCRATCH
from libs.storage import images, object_keys
from libs.storage.database.tables import Image, new_id
from libs.storage.objects import ObjectNotFound, ObjectsNotDeleted

SIDE = 400  # pixels of the longer side
MIME = "image/webp"
TIMEOUT_S = 20.0
NICENESS = 10

STEPS = (Frames(frame=0), Resize(width=SIDE, height=SIDE), Convert(format="webp", quality=75))

log = structlog.get_logger(__name__)


class Thumbnails:
    """Renders one thumbnail at a time; the render process starts with the first request."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._processes = ProcessPool(
            "thumbnails", 1, memory_bytes=backends.settings.job_memory_bytes, niceness=NICENESS
        )
        self._rendering = asyncio.Lock()

    async def read(self, image: Image) -> bytes:
        """Return the image's thumbnail, as WebP.

        Raises:
            ObjectNotFound: The image's file is gone.
            ImagingError, RenderError: The image cannot be rendered.
        """
        key = object_keys.thumbnail_key(image.object_key)
        try:
            return await self._stored(key)
        except ObjectNotFound:
            async with self._rendering:
                return await self._render_and_store(image, key)

    async def close(self) -> None:
        """End the render process."""
        await self._processes.close()

    async def _render_and_store(self, image: Image, key: str) -> bytes:
        try:
            return await self._stored(key)  # another request may have stored it meanwhile
        except ObjectNotFound:
            pass
        file = self._backends.scratch / f"thumbnail-{new_id()}"
        try:
            data = await self._rendered(image, file)
            metadata = {"image-id": str(image.id)}
            await self._backends.objects.put(key, file, content_type=MIME, metadata=metadata)
        finally:
            file.unlink(missing_ok=True)
        await self._delete_if_outdated(image, key)
        return data

    async def _rendered(self, image: Image, file: Path) -> bytes:
        limits = self._backends.settings.image_limits
        async with self._backends.objects.as_file(image.object_key) as source:
            await self._processes.run(TIMEOUT_S, render, source, file, STEPS, limits)
        return await SCRATCH.run(file.read_bytes)

    async def _stored(self, key: str) -> bytes:
        async with self._backends.objects.read(key) as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def _delete_if_outdated(self, image: Image, key: str) -> None:
        """Delete the thumbnail if its image was deleted or replaced while it was rendered."""
        current = await images.by_id(image.id)
        if current is None or current.object_key != image.object_key:
            try:
                await self._backends.objects.delete([key])
            except ObjectsNotDeleted as error:
                log.error("thumbnail_kept", key=key, reason=str(error))
