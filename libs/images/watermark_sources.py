"""Other images that operations need, a watermark's above all: named at the door, opened for the renderer."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from libs.backends import Backends
from libs.imaging.errors import AssetMissing
from libs.imaging.operations import AnyOperation, Watermark
from libs.storage import images
from libs.storage.database.tables import Image
from libs.storage.objects import ObjectNotFound, StoreUnavailable


def named_parts(operations: Sequence[AnyOperation]) -> set[str]:
    """The parts of the same form that the operations speak of."""
    return {mark.part for mark in _marks(operations) if mark.part is not None}


def with_parts(operations: Sequence[AnyOperation], stored: Mapping[str, UUID]) -> tuple[AnyOperation, ...]:
    """The operations, where parts have become the stored images that they were kept as.

    Raises:
        AssetMissing: A part is not among `stored`.
    """
    return tuple(_with_part(one, stored) if isinstance(one, Watermark) else one for one in operations)


async def check(operations: Sequence[AnyOperation], owner: int) -> None:
    """See that the owner has every other image that is needed.

    Raises:
        ImageNotFound: It is none of the owner's.
        AssetMissing: A part is named, but nothing was uploaded along.
    """
    for mark in _marks(operations):
        if mark.image_id is not None:
            await images.owned_by(owner, mark.image_id)
        elif mark.part is not None:
            raise AssetMissing(mark.part)


@asynccontextmanager
async def opened(
    operations: Sequence[AnyOperation], owner: int, backends: Backends
) -> AsyncGenerator[dict[str, Path]]:
    """The files of the other images, by the names that the operations give them.

    Raises:
        ImageNotFound: One is gone, or was never the owner's.
    """
    found: dict[str, Path] = {}
    async with AsyncExitStack() as stack:
        for mark in _marks(operations):
            if mark.image_id is None or mark.asset is None or mark.asset in found:
                continue
            image = await images.owned_by(owner, mark.image_id)
            found[mark.asset] = await stack.enter_async_context(file_of(image, backends))
        yield found


@asynccontextmanager
async def file_of(image: Image, backends: Backends) -> AsyncGenerator[Path]:
    """The file of an image whose row was read a moment ago.

    Raises:
        ObjectNotFound: It has none.
        StoreUnavailable: It was given another one since; who reads the row again finds that.
    """
    async with AsyncExitStack() as stack:
        try:
            path = await stack.enter_async_context(backends.objects.as_file(image.object_key))
        except ObjectNotFound as error:
            if await images.newer_version(image):
                raise StoreUnavailable("the image was replaced in that moment") from error
            raise
        yield path


def _marks(operations: Sequence[AnyOperation]) -> list[Watermark]:
    return [one for one in operations if isinstance(one, Watermark)]


def _with_part(mark: Watermark, stored: Mapping[str, UUID]) -> Watermark:
    if mark.part is None:
        return mark
    if mark.part not in stored:
        raise AssetMissing(mark.part)
    return msgspec.structs.replace(mark, part=None, image_id=stored[mark.part])
