"""The rendition that an address asks for, and the digest that names it."""

from datetime import UTC, datetime
from hashlib import blake2b
from time import time
from typing import cast
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.delivery.errors import StepsInvalid
from libs.imaging.focal_point import uses_focus
from libs.imaging.operations import AnyOperation, Watermark
from libs.storage import images
from libs.storage.database.tables import Image

REMOTE_S = 24 * 3600  # for which the renditions of a remote image are served before it is fetched again
VERSION_DIGITS = 8


class Wanted(Struct, frozen=True, kw_only=True):
    """A rendition to serve."""

    source: Image | str  # a stored image, or the URL of a remote one
    owner: int | None  # whose presets, watermarks and quota these are
    operations: tuple[AnyOperation, ...]
    digest: str  # names the rendition: source, its content, and operations
    stored: bool  # whether the rendition is kept
    preset: str | None  # if the steps name exactly one
    negotiated: bool  # whether the request's `Accept` decided the format
    expires_at: int | None  # of the address, seconds since 1970
    current: bool  # whether the address names the source's version

    @property
    def modified_at(self) -> datetime:
        """When the source changed, in UTC; of a remote image, since when this version of it is served."""
        if isinstance(self.source, Image):
            return self.source.updated_at.astimezone(UTC).replace(microsecond=0)
        return datetime.fromtimestamp(_remote_version(self.source) * REMOTE_S - _spread(self.source), UTC)

    @property
    def source_id(self) -> UUID | str:
        """What identifies the source, for bounds on one image."""
        return self.source if isinstance(self.source, str) else self.source.id


def version_of(image: Image, operations: tuple[AnyOperation, ...]) -> str:
    """Return what an address names of an image for which caches keep the answer for good.

    It is the start of the MD5, or of a hash with the focal point if the operations ask for it.
    """
    focus = images.focus_of(image) if uses_focus(operations) else None
    if focus is None:
        return image.md5[:VERSION_DIGITS]
    return blake2b(f"{image.md5} {focus.x!r} {focus.y!r}".encode()).hexdigest()[:VERSION_DIGITS]


async def digest_of(source: Image | str, owner: int | None, operations: tuple[AnyOperation, ...]) -> str:
    """Name a rendition by all that its bytes depend on."""
    marks = [step.image_id for step in operations if isinstance(step, Watermark) and step.image_id]
    if marks and owner is None:
        raise StepsInvalid("an operator's key has no images to lay over remote images")
    overlaid = [(await images.owned_by(cast("int", owner), mark)).md5 for mark in marks]
    if isinstance(source, Image):
        content = [str(source.id), source.md5]
        if uses_focus(operations):
            content += [str(source.focus_x), str(source.focus_y)]
    else:
        content = [source, str(_remote_version(source)), str(owner)]
    return blake2b(msgspec.json.encode([content, overlaid, operations]), digest_size=20).hexdigest()


def _remote_version(url: str) -> int:
    """Number the days of a remote image: each URL's begin at a moment of its own."""
    return int(time() + _spread(url)) // REMOTE_S


def _spread(url: str) -> int:
    return int.from_bytes(blake2b(url.encode(), digest_size=4).digest()) % REMOTE_S
