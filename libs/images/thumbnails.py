"""Small pictures of stored images: made in a child at the first need, then kept beside the image."""

import asyncio
from pathlib import Path

from libs.backends import Backends
from libs.imaging.operations import Convert, Frames, Resize
from libs.imaging.pipeline import render
from libs.runtime.process_pool import ProcessPool
from libs.storage import images, object_keys
from libs.storage.database.tables import Image, new_id
from libs.storage.objects import ObjectNotFound

SIDE = 160  # pixels, of the longer one
MIME = "image/webp"
TIMEOUT_S = 20.0
NICENESS = 10

STEPS = (Frames(frame=0), Resize(width=SIDE, height=SIDE), Convert(format="webp", quality=75))


class Thumbnails:
    """Makes one at a time; no process is started before the first is asked for."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._processes = ProcessPool(1, memory_bytes=backends.settings.job_memory_bytes, niceness=NICENESS)
        self._making = asyncio.Lock()

    async def read(self, image: Image) -> bytes:
        """The image's thumbnail, as WebP.

        Raises:
            ObjectNotFound: The image's file is gone.
            ImagingError, ChildError: It cannot be read.
        """
        key = object_keys.thumbnail_key(image.object_key)
        try:
            return await self._stored(key)
        except ObjectNotFound:
            async with self._making:
                return await self._made(image, key)

    async def close(self) -> None:
        """End the child."""
        await self._processes.close()

    async def _made(self, image: Image, key: str) -> bytes:
        try:
            return await self._stored(key)  # somebody else's request may have made it meanwhile
        except ObjectNotFound:
            pass
        file = self._backends.scratch / f"thumbnail-{new_id()}"
        try:
            data = await self._rendered(image, file)
            metadata = {"image-id": str(image.id)}
            await self._backends.objects.put(key, file, content_type=MIME, metadata=metadata)
        finally:
            file.unlink(missing_ok=True)
        await self._take_back_of_deleted(image, key)
        return data

    async def _rendered(self, image: Image, file: Path) -> bytes:
        limits = self._backends.settings.image_limits
        async with self._backends.objects.as_file(image.object_key) as source:
            await self._processes.run(TIMEOUT_S, render, source, file, STEPS, limits)
        return await asyncio.to_thread(file.read_bytes)

    async def _stored(self, key: str) -> bytes:
        async with self._backends.objects.read(key) as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def _take_back_of_deleted(self, image: Image, key: str) -> None:
        """The image may have gone, or got another file, while its thumbnail was made."""
        now = await images.by_id(image.id)
        if now is None or now.object_key != image.object_key:
            await self._backends.objects.delete([key])
