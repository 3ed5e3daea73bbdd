"""Functions over presets: an account's named lists of operations."""

from functools import cache
from typing import Any, ClassVar, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.contracts.outcome import Outcome
from libs.imaging.formats import WrittenName
from libs.imaging.operations import AnyOperation
from libs.storage.database.delivery_tables import Preset
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import new_id, now

MAX_PRESETS = 500  # of one account


class PresetError(Exception):
    """A request about a preset cannot be fulfilled."""

    code = "preset_error"
    outcome: ClassVar[Outcome] = "refused"


class PresetNotFound(PresetError):
    """The account has no preset of this name."""

    code = "preset_not_found"


class PresetNameInvalid(PresetError):
    """A preset's name has small letters, digits and `-`, starts with a letter, and is no operation's name."""

    code = "preset_name_invalid"


class TooManyPresets(PresetError):
    """The account has reached its limit of presets. Delete one first."""

    code = "too_many_presets"


class PresetContent(Struct, frozen=True, kw_only=True):
    """What a preset says."""

    operations: tuple[AnyOperation, ...]
    public: bool
    cache: bool
    formats: tuple[WrittenName, ...]
    fallback: UUID | None


_SET = Statement(
    Preset.raw(
        "insert into preset"
        " (id, owner, name, operations, public, cache, formats, fallback, created_at, updated_at)"
        " values ({}, {}, {}, {}, {}, {}, {}, {}, {}, {})"
        " on conflict (owner, name) do update set operations = excluded.operations, public = excluded.public,"
        " cache = excluded.cache, formats = excluded.formats, fallback = excluded.fallback,"
        " updated_at = excluded.updated_at returning *",
        *map(
            Slot,
            ("id", "owner", "name", "operations", "public", "cache", "formats", "fallback", "now", "now"),
        ),
    )
)


async def put(owner: int, name: str, content: PresetContent) -> tuple[Preset, bool]:
    """Create or replace a preset; return it, and whether it is new.

    Raises:
        TooManyPresets: The account has reached its limit.
    """
    is_new = await _find(owner, name) is None
    if is_new and cast("int", await Preset.count().where(Preset.owner == owner)) >= MAX_PRESETS:
        raise TooManyPresets(f"an account may have {MAX_PRESETS} presets")
    found = await _SET.objects(
        Preset,
        id=new_id(),
        owner=owner,
        name=name,
        operations=msgspec.json.encode(content.operations).decode(),
        public=content.public,
        cache=content.cache,
        formats=msgspec.json.encode(content.formats).decode(),
        fallback=content.fallback,
        now=now(),
    )
    return found[0], is_new


async def owned_by(owner: int, name: str) -> Preset:
    """Return the owner's preset.

    Raises:
        PresetNotFound: There is none of this name.
    """
    found = await _find(owner, name)
    if found is None:
        raise PresetNotFound(f"there is no preset {name!r}")
    return found


async def page(owner: int, *, limit: int, after: str | None) -> tuple[list[Preset], int]:
    """Return at most `limit` presets by name, those after `after`; and the count of all."""
    conditions: list[Any] = [Preset.owner == owner]
    total = cast("int", await Preset.count().where(*conditions))
    if after is not None:
        conditions.append(Preset.name > after)
    return await Preset.objects().where(*conditions).order_by(Preset.name).limit(limit), total


async def delete(owner: int, name: str) -> None:
    """Delete a preset.

    Raises:
        PresetNotFound: There is none of this name.
    """
    deleted = await rows(
        Preset.delete().where((Preset.owner == owner) & (Preset.name == name)).returning(Preset.id)
    )
    if not deleted:
        raise PresetNotFound(f"there is no preset {name!r}")


def content_of(preset: Preset) -> PresetContent:
    """Return what a preset says."""
    return PresetContent(
        operations=decode_operations(preset.operations),
        public=preset.public,
        cache=preset.cache,
        formats=msgspec.json.decode(preset.formats, type=tuple[WrittenName, ...]),
        fallback=preset.fallback,
    )


def decode_operations(text: str) -> tuple[AnyOperation, ...]:
    """Return operations from their column."""
    return _decoder().decode(text)


@cache
def _decoder() -> msgspec.json.Decoder[tuple[AnyOperation, ...]]:
    return msgspec.json.Decoder(tuple[AnyOperation, ...])


_OWNED = Statement(
    Preset.objects().where((Preset.owner == Slot("owner")) & (Preset.name == Slot("name"))), quick=True
)


async def _find(owner: int, name: str) -> Preset | None:
    return await _OWNED.first(Preset, owner=owner, name=name)
