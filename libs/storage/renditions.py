"""Functions over renditions: find, claim, complete, purge, evict.

A claim is a row that is not ready, under a short lease that its renderer extends. A renderer that dies leaves
a row whose lease runs out; then another takes it over.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

from piccolo.columns import Column
from piccolo.columns.combination import WhereRaw

from libs.storage import accounts
from libs.storage.database.delivery_tables import Rendition
from libs.storage.database.engine import rows
from libs.storage.database.errors import ForeignKeyViolation
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import BaseUser, new_id, now
from libs.storage.image_errors import ImageNotFound

NOTED_EVERY = timedelta(hours=1)

_BY_DIGEST = Statement(
    Rendition.objects().where((Rendition.digest == Slot("digest")) & (Rendition.ready == True)),  # noqa: E712
    quick=True,
)
# Of several at once, one inserts the row or takes over a lease that ran out; the others get no row back.
_CLAIM = Statement(
    Rendition.raw(
        "insert into rendition (id, owner, image, preset, digest, object_key, ready, lease_until, format,"
        " mime, width, height, size_bytes, md5, used_at, created_at)"
        " values ({}, {}, {}, {}, {}, {}, {}, {}, '', '', 0, 0, 0, '', {}, {})"
        " on conflict (digest) do update set id = excluded.id, object_key = excluded.object_key,"
        " preset = excluded.preset, lease_until = excluded.lease_until, created_at = excluded.created_at"
        " where rendition.ready = {} and rendition.lease_until < excluded.created_at returning id",
        Slot("id"),
        Slot("owner"),
        Slot("image"),
        Slot("preset"),
        Slot("digest"),
        Slot("object_key"),
        False,
        Slot("lease_until"),
        Slot("now"),
        Slot("now"),
        False,
    ),
    quick=True,
)


async def find(digest: str) -> Rendition | None:
    """Return the stored rendition with this digest, or None."""
    return await _BY_DIGEST.first(Rendition, digest=digest)


async def claim(
    digest: str,
    *,
    owner: int | None,
    image: UUID | None,
    preset: str | None,
    lease_s: float,
) -> UUID | None:
    """Claim a rendition that nobody renders; None when it is ready or another holds the claim.

    Raises:
        ImageNotFound: The image has been deleted meanwhile.
    """
    moment, claim_id = now(), new_id()
    try:
        taken = await _CLAIM(
            id=claim_id,
            owner=owner,
            image=image,
            preset=preset,
            digest=digest,
            object_key="",  # known when the format is
            lease_until=moment + timedelta(seconds=lease_s),
            now=moment,
        )
    except ForeignKeyViolation as error:
        raise ImageNotFound(f"there is no image {image}") from error
    return claim_id if taken else None


async def extend(claim_id: UUID, *, lease_s: float) -> None:
    """Extend the lease of a claim, if it is still held."""
    until = now() + timedelta(seconds=lease_s)
    await Rendition.update({Rendition.lease_until: until}).where(_held(claim_id))


async def complete(claim_id: UUID, values: dict[Any, Any]) -> bool:
    """Record the file of a claim; return False when the claim is lost, or its image is gone or being deleted.

    So an image that is marked for deletion gets no more renditions: those that it has are all that there are.
    """
    slots = {str(position): value for position, value in enumerate(values.values())}
    return bool(await _completion(tuple(values))(**slots, claim_id=claim_id))


@cache
def _completion(columns: tuple[Column, ...]) -> Statement:
    values: dict[Any, Any] = {column: Slot(str(position)) for position, column in enumerate(columns)}
    ready: dict[Any, Any] = {Rendition.ready: True, Rendition.lease_until: None, **values}
    update = cast("Any", Rendition.update(ready).where(_held(Slot("claim_id")) & _IMAGE_STAYS))
    return Statement(update.returning(Rendition.id), quick=True)


async def give_up(claim_id: UUID) -> None:
    """Drop a claim, so that the next request can take it at once."""
    await Rendition.delete().where(_held(claim_id))


async def drop(rendition_id: UUID) -> None:
    """Delete a rendition whose object is missing."""
    await Rendition.delete().where(Rendition.id == rendition_id)


async def note_use(rendition: Rendition) -> None:
    """Store that a rendition is in use, about once an hour."""
    if rendition.used_at < now() - NOTED_EVERY:
        await Rendition.update({Rendition.used_at: now()}).where(Rendition.id == rendition.id)


async def keys_of_images(image_ids: Sequence[UUID]) -> dict[str, UUID]:
    """Return the object keys of all renditions of these images, with the ids of the images."""
    if not image_ids:
        return {}
    found: list[dict[str, Any]] = await Rendition.select(Rendition.object_key, Rendition.image).where(
        Rendition.image.is_in(list(image_ids))
    )
    return {row["object_key"]: row["image"] for row in found if row["object_key"]}


async def remove_of_images(image_ids: Sequence[UUID]) -> list[str]:
    """Delete all renditions of these images; return their keys, which are empty for claims."""
    if not image_ids:
        return []
    return await _removed(Rendition.delete().where(Rendition.image.is_in(list(image_ids))))


async def remove_of_closed_accounts(limit: int) -> list[str]:
    """Delete renditions of remote images that were made for deleted accounts; return their keys."""
    deleted = cast("Any", BaseUser.select(BaseUser.id).where(accounts.is_deleted()))
    return await _remove_some(Rendition.image.is_null() & Rendition.owner.is_in(deleted), limit)


async def move(image_id: UUID, to: UUID) -> None:
    """Give the renditions of an image's former file to the row under which that file is deleted."""
    await Rendition.update({Rendition.image: to}).where(Rendition.image == image_id)


async def page_of_image(image_id: UUID, *, limit: int, after: UUID | None) -> tuple[list[Rendition], int]:
    """Return at most `limit` stored renditions, newest first, older than `after`; and the count of all."""
    conditions: list[Any] = [Rendition.image == image_id, Rendition.ready == True]  # noqa: E712
    total = cast("int", await Rendition.count().where(*conditions))
    if after is not None:
        conditions.append(Rendition.id < after)
    found = Rendition.objects().where(*conditions).order_by(Rendition.id, ascending=False)
    return await found.limit(limit), total


async def presets_of_image(image_id: UUID) -> list[str]:
    """Return the presets of an image's renditions, and of those that are being rendered."""
    found = cast("Any", Rendition.select(Rendition.preset).distinct())
    of_presets = (Rendition.image == image_id) & Rendition.preset.is_not_null()
    return [row["preset"] for row in await found.where(of_presets)]


async def has_any(digests: Sequence[str]) -> bool:
    """Return whether one of these renditions is stored, or being rendered."""
    return bool(digests) and await Rendition.exists().where(Rendition.digest.is_in(list(digests)))


async def remove_of_image(image_id: UUID, *, preset: str | None = None, limit: int) -> list[str]:
    """Delete rows of an image's renditions, or those of one preset; return their keys, empty for claims."""
    condition: Any = Rendition.image == image_id
    return await _remove_some(
        condition if preset is None else condition & (Rendition.preset == preset), limit
    )


async def remove_of_preset(owner: int, preset: str, *, limit: int) -> list[str]:
    """Delete rows of a preset's renditions; return their keys, which are empty for claims."""
    return await _remove_some((Rendition.owner == owner) & (Rendition.preset == preset), limit)


async def _remove_some(condition: Any, limit: int) -> list[str]:  # noqa: ANN401 - a condition of Piccolo
    some = cast("Any", Rendition.select(Rendition.id).where(condition).limit(limit))
    return await _removed(Rendition.delete().where(Rendition.id.is_in(some)))


async def _removed(query: Any) -> list[str]:  # noqa: ANN401 - a deletion
    return [row["object_key"] for row in await rows(query.returning(Rendition.object_key))]


async def total_bytes() -> int:
    """Return how many bytes all renditions have together."""
    return int(
        cast("Any", await Rendition.raw("select coalesce(sum(size_bytes), 0) as total from rendition"))[0][
            "total"
        ]
    )


async def least_used(limit: int) -> list[Rendition]:
    """Return stored renditions, those first that were used longest ago."""
    stored = Rendition.ready == True  # noqa: E712
    return await Rendition.objects().where(stored).order_by(Rendition.used_at).limit(limit)


async def remove(ids: Sequence[UUID]) -> None:
    """Delete rows of renditions."""
    if ids:
        await Rendition.delete().where(Rendition.id.is_in(list(ids)))


async def remove_abandoned(before: datetime) -> None:
    """Delete claims whose lease ran out before a moment."""
    await Rendition.delete().where((Rendition.ready == False) & (Rendition.lease_until < before))  # noqa: E712


async def sizes_by_key(keys: Sequence[str]) -> dict[str, int]:
    """Return the size in bytes that the database has for each object key; others are left out."""
    if not keys:
        return {}
    found: list[dict[str, Any]] = await Rendition.select(Rendition.object_key, Rendition.size_bytes).where(
        Rendition.object_key.is_in(list(keys))
    )
    return {row["object_key"]: row["size_bytes"] for row in found}


async def all_after(after: UUID | None, limit: int) -> list[Rendition]:
    """Return stored renditions in the order of their ids."""
    stored = Rendition.ready == True  # noqa: E712
    condition = stored if after is None else stored & (Rendition.id > after)
    return await Rendition.objects().where(condition).order_by(Rendition.id).limit(limit)


_IMAGE_STAYS = WhereRaw(
    "not exists (select 1 from image where image.id = rendition.image and image.status = 'deleting')"
)


def _held(claim_id: UUID | Slot) -> Any:  # noqa: ANN401 - a condition of Piccolo
    return (Rendition.id == claim_id) & (Rendition.ready == False)  # noqa: E712
