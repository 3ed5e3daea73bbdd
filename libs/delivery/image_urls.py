"""Make addresses of an image: signed, with a `srcset` and a `<picture>`."""

from collections.abc import Mapping, Sequence
from html import escape
from time import time
from typing import cast

import msgspec
from msgspec import Struct

from libs.backends import Backends
from libs.contracts.enums import Retention
from libs.contracts.views.image_urls import FormatUrls, ImageUrls
from libs.contracts.views.presets import DeliveredFormat
from libs.delivery.address import PREFIX, sign
from libs.delivery.errors import StepsInvalid, WidthNotOffered
from libs.delivery.key_ring import SigningKey, parse_key
from libs.delivery.output import NEGOTIATED, SLOW_ANIMATIONS, fixed_format, is_animated, with_width
from libs.delivery.result_size import Sizes
from libs.delivery.steps import Preset, Steps, format_steps, parse_steps
from libs.delivery.wanted import version_of
from libs.imaging.formats import FORMATS
from libs.imaging.operations import AnyOperation
from libs.jobs import admission
from libs.settings import Settings
from libs.storage import delivery_keys, presets
from libs.storage.database.tables import BaseUser, Image
from libs.storage.image_errors import ImageNotKept
from libs.storage.presets import PresetContent

DEFAULT_KEY = "default"  # the name of a key that is made because there is none


class MakeUrls(Struct, frozen=True, kw_only=True):
    """Make the addresses of an image under some steps."""

    owner: BaseUser
    image: Image
    steps: str | None  # as an address has them
    preset: str | None = None  # instead of steps
    widths: tuple[int, ...] | None = None  # None: all that are offered
    formats: tuple[DeliveredFormat, ...] | None = None  # None: the preset's, or those of the settings
    expires_in: int | None = None  # seconds
    alt: str = ""
    sizes: str | None = None


async def make_urls(command: MakeUrls, base_url: str, backends: Backends) -> ImageUrls:
    """Return absolute addresses of an image; the account gets a delivery key if there is none that signs.

    Raises:
        ImageNotKept, StepsInvalid, WidthNotOffered, PresetNotFound, TooManyOperations, ImageNotFound: There
            are no such addresses.
        OperationFault: The steps cannot be applied to the image.
    """
    image = command.image
    if image.retention != Retention.KEEP:
        raise ImageNotKept("an ephemeral image has no addresses under /t/: keep it first")
    if command.preset is not None:
        await presets.owned_by(command.owner.id, command.preset)  # or its name might be read as steps
    steps = _with_expiry(parse_steps(command.preset or command.steps or ""), command.expires_in)
    contents = {
        name: presets.content_of(await presets.owned_by(command.owner.id, name)) for name in steps.presets
    }
    operations = steps.resolved({name: content.operations for name, content in contents.items()})
    await admission.check_operations(operations, command.owner, backends)
    sizes = await Sizes.of(image, backends)
    widths = _widths(command.widths, operations, sizes, backends.settings)
    maker = _Addresses(
        f"{base_url}{PREFIX}{await _credentials(command, steps, contents, backends.settings)}",
        f"{image.id}~{version_of(image, operations)}",
        widths,
        sizes.of_operations(operations),
    )
    formats = _formats(command, operations, contents, backends.settings)
    urls = [maker.of_format(name) for name in formats]
    return ImageUrls(
        url=maker.url(),
        urls=urls,
        srcset=maker.srcset(),
        picture=_picture(urls, maker, command),
        steps=_text(steps),
        width=maker.size and maker.size[0],
        height=maker.size and maker.size[1],
    )


class _Addresses(Struct, frozen=True):
    """Writes the addresses of one image and one signature."""

    head: str
    tail: str
    widths: Sequence[int]
    size: tuple[int, int] | None  # of the result without `w`; None: it depends on the pixels

    def url(self, extension: str = "", width: int | None = None) -> str:
        query = "" if width is None else f"?w={width}"
        return f"{self.head}/{self.tail}{extension}{query}"

    def srcset(self, extension: str = "") -> str:
        candidates = {width: self.url(extension, width) for width in self.widths}
        if self.size is not None:
            candidates.setdefault(self.size[0], self.url(extension))
        return ", ".join(f"{url} {width}w" for width, url in sorted(candidates.items()))

    def of_format(self, name: DeliveredFormat) -> FormatUrls:
        extension = f".{FORMATS[name].extension}"
        return FormatUrls(
            format=name,
            type=FORMATS[name].mime,
            url=self.url(extension),
            srcset=self.srcset(extension),
        )


def _with_expiry(steps: Steps, expires_in: int | None) -> Steps:
    if not steps.steps:
        raise StepsInvalid("give steps, such as w_600")
    if expires_in is None:
        return steps
    if steps.expires_at is not None:
        raise StepsInvalid("the steps have an `exp` of their own: leave out `expires_in`")
    return msgspec.structs.replace(steps, expires_at=int(time()) + expires_in)


def _text(steps: Steps) -> str:
    """Write steps in their canonical form, which is what is signed."""
    parts = [step.name if isinstance(step, Preset) else format_steps([step]) for step in steps.steps]
    return ":".join(parts if steps.expires_at is None else [*parts, f"exp_{steps.expires_at}"])


def _widths(
    requested: Sequence[int] | None, operations: Sequence[AnyOperation], sizes: Sizes, settings: Settings
) -> list[int]:
    """Return the widths that the result really can have: none that is wider than the image."""
    for width in requested or ():
        if width not in settings.delivery_widths:
            offered = ", ".join(map(str, settings.delivery_widths))
            raise WidthNotOffered(f"there is no width {width}; there are {offered}")
    found: list[int] = []
    for width in sorted(set(settings.delivery_widths if requested is None else requested)):
        size = sizes.of_operations(with_width(operations, width))
        if width <= sizes.width and (size is None or size[0] == width):
            found.append(width)
    return found


def _formats(
    command: MakeUrls,
    operations: Sequence[AnyOperation],
    contents: Mapping[str, PresetContent],
    settings: Settings,
) -> list[DeliveredFormat]:
    """Return the formats, the best first; the last is one that every browser shows."""
    image, fixed = command.image, fixed_format(operations)
    animated = is_animated(image.frames, operations)
    if command.formats is not None:
        chosen: Sequence[str] = command.formats
    elif fixed is not None:
        return [cast("DeliveredFormat", fixed)]
    else:
        of_preset = next((content.formats for content in contents.values() if content.formats), ())
        chosen = [
            name
            for name in of_preset or settings.delivery_formats
            if not (animated and (name in SLOW_ANIMATIONS or not FORMATS[name].animation))
        ]
    sources = [name for name in dict.fromkeys(chosen) if name in NEGOTIATED]
    others = [name for name in chosen if name not in NEGOTIATED]
    last = others[0] if others else _shown_everywhere(image, animated=animated)
    return cast("list[DeliveredFormat]", [*sources, last])


def _shown_everywhere(image: Image, *, animated: bool) -> str:
    if animated:
        return "gif"
    alpha = image.format == "png" if image.has_alpha is None else image.has_alpha
    return "png" if alpha else "jpeg"


async def _credentials(
    command: MakeUrls, steps: Steps, contents: Mapping[str, PresetContent], settings: Settings
) -> str:
    """Return the part of the address before the image: `key.signature/steps`, or `-/preset`."""
    text = _text(steps)
    only = steps.only_preset
    if only is not None and steps.expires_at is None and command.image.public and contents[only].public:
        return f"-/{text}"
    key = await _signing_key(command.owner.id, settings)
    return f"{key.id}.{sign(key.secret, f'/{text}/{command.image.id}')}/{text}"


async def _signing_key(owner: int, settings: Settings) -> SigningKey:
    """Return the account's newest key, else the operator's first, else a new one of the account."""
    row = await delivery_keys.newest_of(owner)
    if row is None and settings.delivery_keys:
        return parse_key(settings.delivery_keys[0])
    row = row or await delivery_keys.create(owner, DEFAULT_KEY)
    return SigningKey(row.key_id, row.secret, owner)


def _picture(urls: Sequence[FormatUrls], maker: _Addresses, command: MakeUrls) -> str:
    """Write a `<picture>`: a `<source>` for each format but the last, which is that of the `<img>`."""
    *sources, shown = urls
    sizes = command.sizes or ("100vw" if maker.widths else None)
    lines = [
        _tag("source", {"type": source.type, "srcset": source.srcset or source.url, "sizes": sizes})
        for source in sources
    ]
    attributes: dict[str, str | None] = {
        "src": shown.url,
        "srcset": shown.srcset or None,
        "sizes": sizes,
        "width": maker.size and str(maker.size[0]),
        "height": maker.size and str(maker.size[1]),
    }
    return f"<picture>{''.join(lines)}{_tag('img', {**attributes, 'alt': command.alt})}</picture>"


def _tag(name: str, attributes: Mapping[str, str | None]) -> str:
    found = [f' {key}="{escape(value)}"' for key, value in attributes.items() if value is not None]
    return f"<{name}{''.join(found)}>"
