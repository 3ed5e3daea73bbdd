"""Functions over what a full decode finds out about an image: its perceptual hash and metadata.

An image whose hash is of an earlier version counts as not described: such a hash is kept, and found by
searches, until the image is described again.
"""

from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec import Struct, structs
from piccolo.columns.combination import And

from libs.contracts.edits import EditNote
from libs.contracts.enums import ImageStatus
from libs.contracts.views.images import StoredMetadata
from libs.imaging.describe import Description
from libs.imaging.hashing import HASH_VERSION, signed64
from libs.imaging.metadata.exif_iptc import Camera
from libs.storage.database.tables import Image


class _EditOnly(Struct, frozen=True):
    edit: EditNote | None = None


def columns(description: Description, *, edit: EditNote | None) -> dict[Any, Any]:
    """Return the columns that a full decode sets, with the note on the edit that made the image, if any."""
    metadata = StoredMetadata(**structs.asdict(description), edit=edit)
    return {
        Image.phash: signed64(description.phash),
        Image.hash_version: description.hash_version,
        Image.metadata: msgspec.json.encode(metadata).decode(),
        Image.has_alpha: description.has_alpha,
        Image.camera: camera_of(description),
        Image.blurhash: description.blurhash,
    }


def camera_of(description: Description) -> str | None:
    """Return maker and model of the camera, at most 200 characters; many models begin with their maker."""
    exif = description.exif or Camera()
    make, model = _plain(exif.make), _plain(exif.model)
    name = model if model.startswith(make) else f"{make} {model}".strip()
    return name[:200] or None


def _plain(text: str | None) -> str:
    return " ".join("".join(one for one in text or "" if one.isprintable()).split())


def is_described(image: Image) -> bool:
    """Return whether the image has its hash and metadata, of today's version."""
    complete = image.phash is not None and image.metadata is not None
    return complete and image.hash_version >= HASH_VERSION


def edit_note(image: Image) -> EditNote | None:
    """Return the stored note on the edit that made the image; None for all other images."""
    return msgspec.json.decode(image.metadata, type=_EditOnly).edit if image.metadata else None


async def count_undescribed() -> int:
    """Return how many images, of all accounts, are not described or have hashes of an earlier version."""
    return cast("int", await Image.count().where(_undescribed()))


async def undescribed(limit: int, *, after: UUID | None) -> list[Image]:
    """Return images that are not described or have earlier hashes, oldest first, newer than `after`."""
    condition = _undescribed() if after is None else _undescribed() & (Image.id > after)
    return await Image.objects().where(condition).order_by(Image.id).limit(limit)


async def store(image: Image, values: dict[Any, Any]) -> bool:
    """Store what `columns` returned; return False if the image is gone, described, or has another file."""
    unchanged = (Image.id == image.id) & (Image.object_key == image.object_key) & _undescribed()
    stored: list[dict[str, Any]] = await Image.update(values).where(unchanged).returning(Image.id)
    return bool(stored)


def _undescribed() -> And:
    missing = Image.phash.is_null() | Image.metadata.is_null() | (Image.hash_version < HASH_VERSION)
    missing |= Image.has_alpha.is_null()  # described by a process of an earlier release
    return missing & (Image.status != ImageStatus.DELETING)
