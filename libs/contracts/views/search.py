"""Search by perceptual hash."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.views.images import ImageView
from libs.contracts.views.request_body import ImageUrl, RequestBody


class SearchRequest(RequestBody, frozen=True, kw_only=True):
    """A search for images that look like the image at a URL, or that have a similar hash."""

    image_url: ImageUrl | None = None
    """An image to compare with: http, https or data:."""
    phash: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{16}$(?!\n)")] | None = None
    """A perceptual hash to compare with, 16 hex digits."""
    max_distance: Annotated[int, Meta(ge=0, le=64)] = 10
    """The greatest number of differing bits, of 64."""
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    """The greatest number of entries."""


class SimilarView(ImageView, frozen=True, kw_only=True):
    """An image that looks like the one searched for."""

    distance: int
    """Bits in which the hashes differ, of 64."""


class DuplicateGroupView(Struct, frozen=True, kw_only=True):
    """Images that look alike, directly or through others of the group."""

    representative: UUID
    """The largest image of the group."""
    images: tuple[UUID, ...]
    """All images of the group."""
    reclaimable_bytes: int
    """The size of all images but the representative."""
