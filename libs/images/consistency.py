"""Find and repair differences between the object store and the database."""

import hashlib
import re
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Literal
from uuid import UUID

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.images import expiry
from libs.storage import direct_uploads, images, renditions
from libs.storage.database.tables import BaseUser, Image, now
from libs.storage.object_keys import (
    INBOX,
    ORIGINALS,
    REMOTE,
    RENDITIONS,
    RESULTS,
    THUMBNAILS,
    UPLOADS,
    upload_id_of,
)
from libs.storage.objects import BadKey, ObjectNotFound, ObjectsNotDeleted, Stored

BATCH = 500
FEW = 10  # differences that may be repaired whatever their share is

# missing: a row without its object. stray: an object without a row. attempt: a stray whose image has another
# object. altered: an object whose size is not that of its row. foreign: an object that is not Darkroom's.
# A rendition is rendered again, so one whose object is missing is no loss: its row is `uncached`.
Kind = Literal["missing", "stray", "attempt", "altered", "foreign", "uncached"]
MENDED: tuple[Kind, ...] = ("missing", "stray", "attempt", "uncached")

UUID_TEXT = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
OWN_KEY = re.compile(rf"[^/]+/(?:{ORIGINALS}|{RESULTS})/\d{{4}}/\d\d/\d\d/({UUID_TEXT})[.-][^/]*")
RENDITION_KEY = re.compile(rf"{re.escape(RENDITIONS)}/({UUID_TEXT}|{REMOTE})/[0-9a-f-]+\.[a-z]+")

log = structlog.get_logger(__name__)


class Finding(Struct, frozen=True, kw_only=True):
    """One difference."""

    kind: Kind
    key: str
    image_id: UUID | None = None
    rendition_id: UUID | None = None


class TooMuch(Exception):
    """Repairing would remove most rows or objects: more likely, a URL in the settings is wrong."""


class Examination:
    """One walk over objects and rows; an object younger than `age_s` may belong to a job that still runs."""

    def __init__(self, backends: Backends, *, age_s: float) -> None:
        self._backends = backends
        self._before = now() - timedelta(seconds=age_s)
        self._present: set[bytes] = set()  # digests of keys: there may be millions
        self.objects = 0  # that are Darkroom's
        self.rows = 0
        self.findings: list[Finding] = []

    async def run(self, note: Callable[[Finding], None]) -> None:
        """Find all differences; call `note` with each as it is found.

        Raises:
            StoreUnavailable: The store cannot be listed.
        """
        for part in (self._objects(), self._rows(), self._renditions()):
            async for finding in part:
                self.findings.append(finding)
                note(finding)

    async def mend(self, *, force: bool) -> int:
        """Remove rows without an object and objects without a row; return how many were removed.

        Each is checked once more before it is removed.

        Raises:
            TooMuch: Most of them would be removed, and `force` is not set.
        """
        rows = [finding for finding in self.findings if finding.kind == "missing"]
        strays = [finding for finding in self.findings if finding.kind in ("stray", "attempt")]
        for found, total, what in ((rows, self.rows, "images"), (strays, self.objects, "objects")):
            if len(found) > FEW and len(found) * 2 > total and not force:
                raise TooMuch(f"{len(found)} of {total} {what} would be removed")
        uncached = [found.rendition_id for found in self.findings if found.rendition_id is not None]
        await renditions.remove(uncached)
        return await self._remove_strays(strays) + await self._remove_rows(rows) + len(uncached)

    async def _objects(self) -> AsyncGenerator[Finding]:
        batch: list[Stored] = []
        async for stored in self._backends.objects.scan(""):
            batch.append(stored)
            if len(batch) == BATCH:
                async for finding in self._compared(batch):
                    yield finding
                batch.clear()
        async for finding in self._compared(batch):
            yield finding

    async def _compared(self, batch: list[Stored]) -> AsyncGenerator[Finding]:
        known = await _known_sizes([stored.key for stored in batch])
        for stored in batch:
            self._present.add(_digest(stored.key))
            key = _image_key(stored.key)
            own = OWN_KEY.fullmatch(key) or RENDITION_KEY.fullmatch(key)
            if key in known:
                self.objects += 1
                if stored.key == key and known[key] != stored.size_bytes:
                    yield Finding(kind="altered", key=key)
            elif stored.key.startswith(f"{UPLOADS}/"):
                async for finding in self._upload(stored):
                    yield finding
            elif own is None:
                if not key.startswith(f"{INBOX}/"):
                    yield Finding(kind="foreign", key=stored.key)
            else:
                self.objects += 1
                if stored.modified_at < self._before:
                    has_other = own[1] != REMOTE and await images.by_id(UUID(own[1])) is not None
                    yield Finding(kind="attempt" if has_other else "stray", key=stored.key)

    async def _upload(self, stored: Stored) -> AsyncGenerator[Finding]:
        """Compare the file of a direct upload; the scheduler removes those of known uploads in time."""
        upload_id = upload_id_of(stored.key)
        if upload_id is None:
            yield Finding(kind="foreign", key=stored.key)
            return
        self.objects += 1
        if stored.modified_at < self._before and not await direct_uploads.existing([upload_id]):
            yield Finding(kind="stray", key=stored.key)

    async def _rows(self) -> AsyncGenerator[Finding]:
        after: UUID | None = None
        while page := await images.all_after(after, BATCH):
            self.rows += len(page)
            for image in page:
                if _digest(image.object_key) not in self._present and await self._is_missing(image):
                    yield Finding(kind="missing", key=image.object_key, image_id=image.id)
            after = page[-1].id

    async def _renditions(self) -> AsyncGenerator[Finding]:
        after: UUID | None = None
        while page := await renditions.all_after(after, BATCH):
            for row in page:
                if _digest(row.object_key) not in self._present and row.created_at < self._before:
                    yield Finding(kind="uncached", key=row.object_key, rendition_id=row.id)
            after = page[-1].id

    async def _is_missing(self, image: Image) -> bool:
        """Check again: the object may have been stored, or the row removed, since the objects were listed."""
        try:
            async with self._backends.objects.read(image.object_key, length=1):
                return False
        except (ObjectNotFound, BadKey):
            current = await images.by_id(image.id)
            return current is not None and current.object_key == image.object_key

    async def _remove_strays(self, strays: list[Finding]) -> int:
        known = await _known_sizes([stray.key for stray in strays])
        gone = [stray.key for stray in strays if _image_key(stray.key) not in known]
        kept: dict[str, str] = {}
        for start in range(0, len(gone), BATCH):
            try:
                await self._backends.objects.delete(gone[start : start + BATCH])
            except ObjectsNotDeleted as error:
                kept |= error.reasons
        for key, reason in kept.items():
            log.error("stray_kept", key=key, reason=reason)
        return len(gone) - len(kept)

    async def _remove_rows(self, missing: list[Finding]) -> int:
        removed = 0
        for finding in missing:
            assert finding.image_id is not None, "a row has its id"  # noqa: S101
            image = await images.by_id(finding.image_id)
            if image is None or not await self._is_missing(image):
                continue
            owner = await BaseUser.objects().where(BaseUser.id == image.owner).first()
            if owner is not None:
                await expiry.delete(image, owner, self._backends)
                removed += 1
        return removed


async def _known_sizes(keys: list[str]) -> dict[str, int]:
    """Return the sizes of images and renditions by their keys; a thumbnail's key is that of its image."""
    of_images = await images.sizes_by_key([_image_key(key) for key in keys])
    return of_images | await renditions.sizes_by_key([key for key in keys if RENDITION_KEY.fullmatch(key)])


def _image_key(key: str) -> str:
    """Return the key of the image that an object belongs to; a thumbnail belongs to its image."""
    return key.removeprefix(f"{THUMBNAILS}/")


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=8).digest()
