"""Presets of an account: create, replace, delete, and what a request that names one asks for."""

from collections.abc import Sequence

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.enums import Retention
from libs.delivery import purge
from libs.delivery.steps import is_preset_name
from libs.imaging.operations import AnyOperation
from libs.jobs import admission
from libs.storage import images, presets
from libs.storage.database.delivery_tables import Preset
from libs.storage.database.tables import BaseUser
from libs.storage.image_errors import ImageNotKept
from libs.storage.presets import PresetContent, PresetNameInvalid, PresetNotFound


class PutPreset(Struct, frozen=True, kw_only=True):
    """Create a preset, or replace all that it says."""

    owner: BaseUser
    name: str
    content: PresetContent


async def put(command: PutPreset, backends: Backends) -> tuple[Preset, bool]:
    """Store a preset; return it, and whether it is new. Renditions of what it said before are deleted.

    Raises:
        PresetNameInvalid, TooManyPresets, TooManyOperations, ImageNotFound, AssetMissing, ImageNotKept:
            Nothing is stored.
    """
    owner, name, content = command.owner, command.name, command.content
    if not is_preset_name(name):
        raise PresetNameInvalid(
            f"{name!r} has other characters than a-z, 0-9 and -, starts with none of a-z, is longer than 63,"
            " or names an operation"
        )
    await admission.check_operations(content.operations, owner, backends)
    if content.fallback is not None:
        fallback = await images.owned_by(owner.id, content.fallback)
        if fallback.retention != Retention.KEEP:
            raise ImageNotKept(f"the fallback {fallback.id} is not a kept image")
    former = await _content(owner.id, name)
    stored, is_new = await presets.put(owner.id, name, content)
    if former is not None and (former.operations, former.cache) != (content.operations, content.cache):
        await purge.renditions_of_preset(owner.id, name, backends)
    return stored, is_new


async def delete(owner: BaseUser, name: str, backends: Backends) -> None:
    """Delete a preset and its renditions.

    Raises:
        PresetNotFound: The account has none of this name.
    """
    await presets.delete(owner.id, name)
    await purge.renditions_of_preset(owner.id, name, backends)


async def with_preset(
    owner: int, name: str | None, operations: Sequence[AnyOperation] | None
) -> Sequence[AnyOperation] | None:
    """Return the operations of the preset, then those that are requested besides; without a preset these.

    The operations are copied: a later change of the preset does not change the request.

    Raises:
        PresetNotFound: The account has none of this name.
    """
    if name is None:
        return operations
    found = presets.content_of(await presets.owned_by(owner, name))
    return (*found.operations, *(operations or ()))


async def _content(owner: int, name: str) -> PresetContent | None:
    try:
        return presets.content_of(await presets.owned_by(owner, name))
    except PresetNotFound:
        return None
