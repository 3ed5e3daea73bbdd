"""The renditions that the addresses of a preset ask for, rendered before anybody opens one."""

from collections.abc import Sequence

from libs.contracts.enums import Retention
from libs.delivery.address import Address
from libs.delivery.key_ring import KeyRing, SigningKey
from libs.delivery.renditions import Renditions
from libs.delivery.resolver import Choice, Resolver
from libs.delivery.wanted import Wanted
from libs.imaging.formats import WrittenName
from libs.settings import Settings
from libs.storage import presets
from libs.storage import renditions as rows
from libs.storage.database.tables import Image
from libs.storage.objects import StoreUnavailable
from libs.storage.presets import PresetNotFound


async def wanted_of(image: Image, names: Sequence[str], settings: Settings) -> list[Wanted]:
    """Return the renditions of presets in each of their formats, and in the one for other clients.

    A preset that was deleted meanwhile, or whose renditions are not stored, has none.
    """
    resolver = Resolver(settings, KeyRing(()))
    if image.retention != Retention.KEEP:
        return []
    found: dict[str, Wanted] = {}
    for name in names:
        try:
            content = presets.content_of(await presets.owned_by(image.owner, name))
        except PresetNotFound:
            continue
        for accepted in _clients(content.formats or settings.delivery_formats):
            address = Address(steps=name, source=image.id, signed="")
            key = SigningKey("", "", image.owner)
            wanted = await resolver.resolve_for(key, address, Choice(accepted=accepted))
            if wanted.stored:
                found.setdefault(wanted.digest, wanted)
    return list(found.values())


async def stored(wanted: Wanted, renditions: Renditions) -> None:
    """Render a rendition unless it is stored, and return once it is.

    Raises:
        StoreUnavailable: It was rendered, and could not be stored.
        Whatever `Renditions.get` raises.
    """
    found = await renditions.get(wanted)
    if found.hit:
        return
    await renditions.storing_ended()
    if await rows.find(wanted.digest) is None:
        raise StoreUnavailable("the rendition could not be stored")


def _clients(formats: Sequence[WrittenName]) -> list[frozenset[WrittenName]]:
    """Return what clients accept: each format alone, and none of them."""
    return [*(frozenset({name}) for name in formats), frozenset[WrittenName]()]
