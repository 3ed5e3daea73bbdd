"""Renditions after a change of the focal point: delete the former ones, render ahead again."""

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.commands import RenderRenditions, decode
from libs.delivery import purge
from libs.delivery.ahead import wanted_of
from libs.delivery.errors import DeliveryError
from libs.images.render_ahead import queue_rendering
from libs.imaging.focal_point import uses_focus
from libs.settings import Settings
from libs.storage import jobs, presets, renditions
from libs.storage.database.tables import BaseUser, Image
from libs.storage.image_errors import ImageNotFound
from libs.storage.presets import PresetNotFound


class Outdated(Struct, frozen=True, kw_only=True):
    """Presets of an image whose renditions a new focal point changes."""

    presets: tuple[str, ...]
    ahead: tuple[str, ...]  # those that were rendered ahead, or will be


async def outdated_by_focus(image: Image, settings: Settings) -> Outdated:
    """Find what a new focal point outdates. Call it before the image has one.

    A preset was rendered ahead if one of the renditions that this makes is there, or being made.
    """
    queued = await _queued(image)
    named = sorted({*queued, *await renditions.presets_of_image(image.id)})
    found = [name for name in named if await _uses_focus(image.owner, name)]
    ahead = [name for name in found if name in queued or await _is_ahead(image, name, settings)]
    return Outdated(presets=tuple(found), ahead=tuple(ahead))


async def refocus(
    image: Image, owner: BaseUser, outdated: Outdated, backends: Backends, *, request_id: str
) -> None:
    """Delete the outdated renditions of an image that has its new focal point, and queue new ones."""
    for name in outdated.presets:
        await purge.renditions_of_image(image.id, backends, preset=name)
    await queue_rendering(image, owner, outdated.ahead, backends, request_id=request_id)


async def _queued(image: Image) -> set[str]:
    commands = [decode(job.command) for job in await jobs.rendering(image.id)]
    return {name for found in commands if isinstance(found, RenderRenditions) for name in found.presets}


async def _uses_focus(owner: int, name: str) -> bool:
    try:
        return uses_focus(presets.content_of(await presets.owned_by(owner, name)).operations)
    except PresetNotFound:
        return False


async def _is_ahead(image: Image, name: str, settings: Settings) -> bool:
    try:
        wanted = await wanted_of(image, [name], settings)
    except (DeliveryError, ImageNotFound):  # the preset cannot be rendered any more
        return False
    return await renditions.has_any([one.digest for one in wanted])
