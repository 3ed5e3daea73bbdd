"""Addresses of an image under `/t/`, and its stored renditions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.views.presets import MAX_FORMATS, DeliveredFormat
from libs.contracts.views.request_body import NO_CONTROLS, Operations, PresetName, RequestBody

MAX_WIDTHS = 50
MAX_EXPIRES_S = 10 * 365 * 24 * 3600


class UrlsRequest(RequestBody, frozen=True, kw_only=True):
    """What the addresses show: steps, operations or a preset."""

    steps: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    """The steps, as an address has them."""
    operations: Operations | None = None
    """Operations instead of steps."""
    preset: PresetName | None = None
    """A preset of the account, instead of steps."""
    widths: Annotated[tuple[int, ...], Meta(max_length=MAX_WIDTHS)] | None = None
    """The widths of the `srcset`; without it, all that are offered. None is wider than the image."""
    formats: Annotated[tuple[DeliveredFormat, ...], Meta(min_length=1, max_length=MAX_FORMATS)] | None = None
    """The formats, the best first; without it, those of the preset or of the settings."""
    expires_in: Annotated[int, Meta(ge=1, le=MAX_EXPIRES_S)] | None = None
    """Seconds until the addresses end; without it, never."""
    alt: Annotated[str, Meta(pattern=NO_CONTROLS, max_length=2000)] = ""
    """The text of the `<img>` for who does not see it."""
    sizes: Annotated[str, Meta(pattern=NO_CONTROLS, min_length=1, max_length=500)] | None = None
    """How wide the page shows the image, as HTML's `sizes`; without it, 100vw."""

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.steps, self.operations, self.preset)) != 1:
            raise ValueError("give `steps`, `operations` or a `preset`")


class FormatUrls(Struct, frozen=True, kw_only=True):
    """The addresses of one format."""

    format: DeliveredFormat
    """The format, which the extension of the addresses names."""
    type: str
    """Its media type."""
    url: str
    """The address without a width."""
    srcset: str
    """The addresses of all widths, as HTML's `srcset`; empty if there is none."""


class ImageUrls(Struct, frozen=True, kw_only=True):
    """Addresses of an image, which open without a token."""

    url: str
    """An address without an extension: the client's `Accept` decides the format."""
    urls: Sequence[FormatUrls]
    """The addresses of each format, the best first; the last is one that every browser shows."""
    srcset: str
    """The addresses of all widths without an extension, as HTML's `srcset`."""
    picture: str
    """A `<picture>` element for a page: a source for each format, an `<img>` with the size of the result."""
    steps: str
    """The steps as they are signed."""
    width: int | None
    """The width of the result in pixels; null if it depends on the pixels."""
    height: int | None
    """The height of the result in pixels; null if it depends on the pixels."""


class RenditionView(Struct, frozen=True, kw_only=True):
    """A stored result of an address."""

    id: UUID
    """The id of the rendition."""
    preset: str | None
    """The preset that the address names; null for others."""
    format: str
    """The format of the file."""
    width: int
    """Its width in pixels."""
    height: int
    """Its height in pixels."""
    size_bytes: int
    """The size of the file."""
    created_at: datetime
    """When it was rendered."""
    last_used_at: datetime
    """When it was last asked for, to about an hour."""
