"""Resolve `gravity: "focus"` by the focal point of a stored image."""

from pathlib import Path
from typing import cast

import msgspec
from msgspec import Struct

from libs.backends import Backends
from libs.images import watermark_sources
from libs.imaging.focal_point import uses_focus, with_focus
from libs.imaging.formats import FormatName
from libs.imaging.operations import AnyOperation
from libs.imaging.orientation import UPRIGHT, read_orientation, upright_size
from libs.imaging.pillow_adapter import open_image
from libs.runtime.threads import PARSING
from libs.storage import image_descriptions, images
from libs.storage.database.tables import Image


class _Described(Struct, frozen=True):
    """The field of an image's metadata that decides its size."""

    orientation: int


async def resolved(
    operations: tuple[AnyOperation, ...], image: Image, backends: Backends
) -> tuple[AnyOperation, ...]:
    """Put the image's focal point into the operations that ask for it; without one, the centre.

    Raises:
        CropOutside: See `with_focus`.
        ObjectNotFound, StoreUnavailable: The image is not described yet, and its file cannot be read.
    """
    if not uses_focus(operations):
        return operations
    focus = images.focus_of(image)
    turned = UPRIGHT if focus is None else await orientation_of(image, backends)
    return with_focus(operations, focus, upright_size((image.width, image.height), turned))


async def orientation_of(image: Image, backends: Backends) -> int:
    """Return the EXIF orientation: from the row, or from the file's header while it is not described."""
    if image.format == "tiff":
        return UPRIGHT  # its decoder turns it, and reports the upright size
    if image_descriptions.is_described(image):
        return msgspec.json.decode(image.metadata or "", type=_Described).orientation
    async with watermark_sources.file_of(image, backends) as path:
        return await PARSING.run(_read_orientation, path, cast("FormatName", image.format))


def _read_orientation(path: Path, name: FormatName) -> int:
    with open_image(path, name) as opened:
        return read_orientation(opened)
