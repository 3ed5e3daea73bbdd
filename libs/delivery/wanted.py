"""What an address asks for: the rendition of a source, resolved from keys, presets and the request."""

from datetime import UTC, datetime
from hashlib import blake2b
from time import time
from typing import cast
from uuid import UUID

import msgspec
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
from libs.imaging.formats import FormatName, WrittenName
from libs.imaging.operations import AnyOperation, Watermark
from libs.settings import Settings
from libs.storage import images, presets
from libs.storage.database.tables import Image
from libs.storage.image_errors import ImageNotFound
from libs.storage.presets import PresetContent, PresetNotFound

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


class Resolver:
    """Resolves addresses; rows of keys and presets are remembered for a moment."""

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self._settings = settings
        self._keys = keys
        self._presets: ShortMemory[tuple[int, str], PresetContent] = ShortMemory(size=1000)

    async def resolve(
        self, address: Address, *, width: int | None, accepted: frozenset[WrittenName]
    ) -> Wanted:
        """Return the rendition that an address asks for.

        Raises:
            AddressNotSigned, AddressSignatureInvalid: It may not be opened so.
            AddressExpired, StepsInvalid, WidthNotOffered, SourceNotAllowed: It is wrong in itself.
            ImageNotFound, PresetNotFound: It names what is not there, or not there for this key.
        """
        key: SigningKey | None = None
        if address.key_id is not None:
            key, address = await self._keys.verify(address)
        steps = _parsed(address.steps)
        if steps.expires_at is not None and steps.expires_at <= time():
            raise AddressExpired("the address has expired")
        if width is not None and width not in self._settings.delivery_widths:
            offered = ", ".join(map(str, self._settings.delivery_widths))
            raise WidthNotOffered(f"there is no width {width}; there are {offered}")
        source = await self._source(address, key, steps)
        owner = source.owner if isinstance(source, Image) else cast("SigningKey", key).owner
        contents = await self._contents(steps, owner)
        if key is None and not all(content.public for content in contents.values()):
            raise PresetNotFound(f"there is no public preset {steps.only_preset!r}")
        operations = steps.resolved({name: content.operations for name, content in contents.items()})
        if len(operations) > self._settings.max_operations:
            raise StepsInvalid(
                f"these are {len(operations)} operations, the limit is {self._settings.max_operations}"
            )
        preset = steps.presets[0] if len(steps.presets) == 1 else None
        formats = next((content.formats for content in contents.values() if content.formats), ())
        return await self._wanted(
            address,
            source=source,
            owner=owner,
            operations=operations if width is None else with_width(operations, width),
            formats=formats or self._settings.delivery_formats,
            accepted=accepted,
            stored=all(content.cache for content in contents.values()),
            preset=preset,
            expires_at=steps.expires_at,
        )

    async def _source(self, address: Address, key: SigningKey | None, steps: Steps) -> Image | str:
        if isinstance(address.source, str):
            if key is None:
                raise AddressNotSigned("a remote image needs a signature")
            if not is_below(address.source, self._settings.delivery_sources):
                raise SourceNotAllowed("the URL is not below one of DARKROOM_DELIVERY_SOURCES")
            return address.source
        if key is None and steps.only_preset is None:
            raise AddressNotSigned("without a signature, the steps are the name of one public preset")
        image = await images.by_id(address.source)
        opened = image is not None and (image.public if key is None else key.owner in (None, image.owner))
        if image is None or not opened:
            raise ImageNotFound(f"there is no {'public ' if key is None else ''}image {address.source}")
        if image.retention != Retention.KEEP:
            raise ImageNotFound(f"the image {image.id} deletes itself: only kept images have addresses")
        return image

    async def _contents(self, steps: Steps, owner: int | None) -> dict[str, PresetContent]:
        found: dict[str, PresetContent] = {}
        for name in steps.presets:
            if owner is None:
                raise PresetNotFound("an operator's key has no presets over remote images")
            content = self._presets.get((owner, name))
            if content is None:
                content = presets.content_of(await presets.owned_by(owner, name))
                self._presets.put((owner, name), content)
            found[name] = content
        return found

    async def _wanted(
        self,
        address: Address,
        *,
        source: Image | str,
        owner: int | None,
        operations: tuple[AnyOperation, ...],
        formats: tuple[WrittenName, ...],
        accepted: frozenset[WrittenName],
        stored: bool,
        preset: str | None,
        expires_at: int | None,
    ) -> Wanted:
        chosen: str | None = address.format or fixed_format(operations)
        negotiated = chosen is None
        if negotiated:
            animated = isinstance(source, Image) and is_animated(source.frames, operations)
            kind = cast("FormatName", source.format) if isinstance(source, Image) else "jpeg"
            chosen = negotiated_format(accepted, formats, kind, animated=animated)
        operations = with_format(operations, chosen)
        return Wanted(
            source=source,
            owner=owner,
            operations=operations,
            digest=await _digest(source, owner, operations),
            stored=stored,
            preset=preset,
            negotiated=address.format is None,
            expires_at=expires_at,
            current=isinstance(source, Image) and address.version == source.md5[:VERSION_DIGITS],
        )


_steps: ShortMemory[str, Steps] = ShortMemory(size=2000, keep_s=3600)


def _parsed(text: str) -> Steps:
    found = _steps.get(text)
    if found is None:
        found = parse_steps(text)
        _steps.put(text, found)
    return found


async def _digest(source: Image | str, owner: int | None, operations: tuple[AnyOperation, ...]) -> str:
    """Name a rendition by all that its bytes depend on."""
    marks = [step.image_id for step in operations if isinstance(step, Watermark) and step.image_id]
    if marks and owner is None:
        raise StepsInvalid("an operator's key has no images to lay over remote images")
    overlaid = [(await images.owned_by(cast("int", owner), mark)).md5 for mark in marks]
    if isinstance(source, Image):
        content = [str(source.id), source.md5]
    else:
        content = [source, str(_remote_version(source)), str(owner)]
    return blake2b(msgspec.json.encode([content, overlaid, operations]), digest_size=20).hexdigest()


def _remote_version(url: str) -> int:
    """Number the days of a remote image: each URL's begin at a moment of its own."""
    return int(time() + _spread(url)) // REMOTE_S


def _spread(url: str) -> int:
    return int.from_bytes(blake2b(url.encode(), digest_size=4).digest()) % REMOTE_S
