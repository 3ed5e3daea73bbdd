"""Resolve an address: may it be opened, what is its source, and which rendition does it ask for."""

from time import time
from typing import cast

from msgspec import Struct

from libs.contracts.enums import Retention
from libs.delivery.address import Address
from libs.delivery.errors import (
    AddressExpired,
    AddressNotSigned,
    SourceNotAllowed,
    StepsInvalid,
    WidthNotOffered,
)
from libs.delivery.key_ring import KeyRing, SigningKey
from libs.delivery.output import fixed_format, is_animated, negotiated_format, with_format, with_width
from libs.delivery.short_memory import ShortMemory
from libs.delivery.sources import is_below
from libs.delivery.steps import Steps, parse_steps
from libs.delivery.wanted import Wanted, digest_of, version_of
from libs.imaging.formats import FormatName, WrittenName
from libs.imaging.operations import AnyOperation
from libs.settings import Settings
from libs.storage import images, presets
from libs.storage.database.tables import Image
from libs.storage.image_errors import ImageNotFound
from libs.storage.presets import PresetContent, PresetNotFound

PARSED_S = 3600


class Choice(Struct, frozen=True, kw_only=True):
    """What a request chooses beside its address."""

    width: int | None = None
    accepted: frozenset[WrittenName] = frozenset()  # formats that its `Accept` names


class _Opened(Struct, frozen=True):
    """An address that may be opened."""

    address: Address
    key: SigningKey | None  # None: without a signature
    steps: Steps


class Resolver:
    """Resolves addresses; rows of keys and presets are remembered for a moment."""

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self._settings = settings
        self._keys = keys
        self._presets: ShortMemory[tuple[int, str], PresetContent] = ShortMemory(size=1000)
        self._steps: ShortMemory[str, Steps] = ShortMemory(size=2000, keep_s=PARSED_S)

    async def resolve(self, address: Address, choice: Choice) -> Wanted:
        """Return the rendition that an address asks for.

        Raises:
            AddressNotSigned, AddressSignatureInvalid: It may not be opened so.
            AddressExpired, StepsInvalid, WidthNotOffered, SourceNotAllowed: It is wrong in itself.
            ImageNotFound, PresetNotFound: It names what is not there, or not there for this key.
        """
        return await self.resolve_for(*await self._verified(address), choice)

    async def resolve_for(self, key: SigningKey | None, address: Address, choice: Choice) -> Wanted:
        """Return the rendition that an address asks for whose signature was verified, or that has none.

        Raises:
            As `resolve`, but for the signature.
        """
        opened = self._opened(key, address)
        self._check_width(choice.width)
        source = await self._source(opened)
        owner = source.owner if isinstance(source, Image) else cast("SigningKey", opened.key).owner
        return await self._wanted(opened, source, owner, choice)

    async def fallback(self, address: Address, choice: Choice) -> Wanted | None:
        """Return the same rendition of the image that the address's preset sends instead of an error.

        Raises:
            As `resolve`, but for the source.
        """
        opened = self._opened(*await self._verified(address))
        image = None if isinstance(address.source, str) else await images.by_id(address.source)
        owner = opened.key.owner if opened.key is not None and opened.key.owner else image and image.owner
        if owner is None:
            return None
        contents = await self._contents(opened, owner)
        instead = next((content.fallback for content in contents.values() if content.fallback), None)
        if instead is None:
            return None
        return await self._wanted(opened, await images.owned_by(owner, instead), owner, choice)

    async def _verified(self, address: Address) -> tuple[SigningKey | None, Address]:
        return (None, address) if address.key_id is None else await self._keys.verify(address)

    def _opened(self, key: SigningKey | None, address: Address) -> _Opened:
        steps = self._parsed(address.steps)
        if key is None and (steps.only_preset is None or isinstance(address.source, str)):
            raise AddressNotSigned(
                "without a signature, an address has the name of one public preset, and a public image"
            )
        if steps.expires_at is not None and steps.expires_at <= time():
            raise AddressExpired("the address has expired")
        return _Opened(address, key, steps)

    def _check_width(self, width: int | None) -> None:
        if width is not None and width not in self._settings.delivery_widths:
            offered = ", ".join(map(str, self._settings.delivery_widths))
            raise WidthNotOffered(f"there is no width {width}; there are {offered}")

    async def _source(self, opened: _Opened) -> Image | str:
        named, key = opened.address.source, opened.key
        if isinstance(named, str):
            if not is_below(named, self._settings.delivery_sources):
                raise SourceNotAllowed("the URL is not below one of DARKROOM_DELIVERY_SOURCES")
            return named
        image = await images.by_id(named)
        may_open = image is not None and (image.public if key is None else key.owner in (None, image.owner))
        if image is None or not may_open:
            raise ImageNotFound(f"there is no {'public ' if key is None else ''}image {named}")
        if image.retention != Retention.KEEP:
            raise ImageNotFound(f"the image {image.id} deletes itself: only kept images have addresses")
        return image

    async def _contents(self, opened: _Opened, owner: int | None) -> dict[str, PresetContent]:
        """Return the presets of the steps by name; those of an unsigned address are public."""
        found: dict[str, PresetContent] = {}
        for name in opened.steps.presets:
            if owner is None:
                raise PresetNotFound("an operator's key has no presets over remote images")
            content = self._presets.get((owner, name))
            if content is None:
                content = presets.content_of(await presets.owned_by(owner, name))
                self._presets.put((owner, name), content)
            if opened.key is None and not content.public:
                raise PresetNotFound(f"there is no public preset {name!r}")
            found[name] = content
        return found

    async def _wanted(
        self, opened: _Opened, source: Image | str, owner: int | None, choice: Choice
    ) -> Wanted:
        contents, steps, address = await self._contents(opened, owner), opened.steps, opened.address
        operations = steps.resolved({name: content.operations for name, content in contents.items()})
        if len(operations) > self._settings.max_operations:
            limit = self._settings.max_operations
            raise StepsInvalid(f"these are {len(operations)} operations, the limit is {limit}")
        if choice.width is not None:
            operations = with_width(operations, choice.width)
        formats = next((content.formats for content in contents.values() if content.formats), ())
        operations = with_format(
            operations,
            address.format
            or fixed_format(operations)
            or self._negotiated(source, operations, formats, choice.accepted),
        )
        return Wanted(
            source=source,
            owner=owner,
            operations=operations,
            digest=await digest_of(source, owner, operations),
            stored=all(content.cache for content in contents.values()),
            preset=steps.presets[0] if len(steps.presets) == 1 else None,
            negotiated=address.format is None,
            expires_at=steps.expires_at,
            current=isinstance(source, Image) and address.version == version_of(source, operations),
        )

    def _negotiated(
        self,
        source: Image | str,
        operations: tuple[AnyOperation, ...],
        formats: tuple[WrittenName, ...],
        accepted: frozenset[WrittenName],
    ) -> WrittenName | None:
        offered = formats or self._settings.delivery_formats
        if isinstance(source, str):  # what it is, is not known before it is fetched
            return negotiated_format(accepted, offered, "jpeg", animated=False)
        animated = is_animated(source.frames, operations)
        return negotiated_format(accepted, offered, cast("FormatName", source.format), animated=animated)

    def _parsed(self, text: str) -> Steps:
        found = self._steps.get(text)
        if found is None:
            found = parse_steps(text)
            self._steps.put(text, found)
        return found
