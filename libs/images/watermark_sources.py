"""Other images that operations need, such as a watermark: named in a request, opened for the renderer."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from libs.backends import Backends
from libs.imaging.errors import AssetMissing
from libs.imaging.operations import AnyOperation, Watermark
from libs.imaging.text.font_files import font_files
from libs.storage import images
from libs.storage.database.tables import Image
from libs.storage.objects import ObjectNotFound, StoreUnavailable


def named_parts(operations: Sequence[AnyOperation]) -> set[str]:
    """Return the names of the form's files that the operations refer to."""
    return {mark.part for mark in _marks(operations) if mark.part is not None}


def with_parts(operations: Sequence[AnyOperation], stored: Mapping[str, UUID]) -> tuple[AnyOperation, ...]:
    """Return the operations with the ids of stored images in the place of the form's files.

    Raises:
        AssetMissing: A file is not among `stored`.
    """
    return tuple(
        _with_part(operation, stored) if isinstance(operation, Watermark) else operation
        for operation in operations
    )


@asynccontextmanager
async def opened(
    operations: Sequence[AnyOperation], owner: int, backends: Backends
) -> AsyncGenerator[dict[str, Path]]:
    """Open the files of the other images and fonts, by the names that the operations give them.

    Raises:
        ImageNotFound: The owner does not have one of them.
    """
    found: dict[str, Path] = {}
    async with AsyncExitStack() as stack:
        for mark in _marks(operations):
            if mark.image_id is None or mark.asset is None or mark.asset in found:
                continue
            image = await images.owned_by(owner, mark.image_id)
            found[mark.asset] = await stack.enter_async_context(file_of(image, backends))
        yield found | font_files(operations, backends.settings.fonts_dir)


@asynccontextmanager
async def file_of(image: Image, backends: Backends) -> AsyncGenerator[Path]:
    """Open the file of an image whose row was read a moment ago.

    Raises:
        ObjectNotFound: The image has no file.
        StoreUnavailable: Its file was replaced since the row was read; the same again succeeds.
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
    return [operation for operation in operations if isinstance(operation, Watermark)]


def _with_part(mark: Watermark, stored: Mapping[str, UUID]) -> Watermark:
    if mark.part is None:
        return mark
    if mark.part not in stored:
        raise AssetMissing(mark.part)
    return msgspec.structs.replace(mark, part=None, image_id=stored[mark.part])
