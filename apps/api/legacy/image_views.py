"""Views of images with the names that older clients read."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from litestar import Response
from msgspec import structs

from apps.api.context import RequestContext
from apps.api.responses import files
from libs.contracts.views.images import ImageView

LEGACY_FORMATS = {"jpeg": "jpg"}  # of `image_format`: the older service named the extension
LINK_S = 604_800  # a week, the longest that an object store signs a link for


class LegacyImage(ImageView, frozen=True, kw_only=True):
    """An image. The older names repeat `source_url`, `md5`, `format` and `url`."""

    image_url: str | None
    """The same as `source_url`."""
    md5_hash: str
    """The same as `md5`."""
    image_format: str
    """The same as `format`, but `jpg`."""
    detail_url: str
    """The same as `url`."""
    download_url: str | None  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues] - as older clients knew it
    """The address of its newest result, or of its own file without one; null until there is a file."""
    result: "LegacyImage | None" = None
    """The result of its newest completed job."""


class LinkedImage(LegacyImage, frozen=True, kw_only=True):
    """An image with a link that opens without a token."""

    original_url: str
    """An address of the file that needs no token."""
    file_type: str
    """The same as `format`."""


def legacy_image(view: ImageView) -> LegacyImage:
    """Add the older names to an image and its result."""
    return LegacyImage(**_legacy_fields(view))


def linked_image(view: ImageView, context: RequestContext) -> LinkedImage:
    """Add the older names and a link to an image."""
    link = files.link_of(view.id, view.expires_at, context.settings, context.base_url, expires_in=LINK_S)
    return LinkedImage(**_legacy_fields(view), original_url=link.url, file_type=view.format)


def translated(response: Response[Any], translate: Callable[[ImageView], LegacyImage]) -> Response[Any]:
    """Replace the image of a response. Any other content, such as a job, stays.

    The stored response to an earlier `Idempotency-Key` is JSON already.
    """
    view = response.content
    if isinstance(view, msgspec.Raw):
        with suppress(msgspec.ValidationError):
            view = msgspec.json.decode(view, type=ImageView)
    if isinstance(view, ImageView):
        view = translate(view)
    return Response(view, status_code=response.status_code, headers=response.headers)


def _legacy_fields(view: ImageView) -> dict[str, Any]:
    return structs.asdict(view) | {
        "image_url": view.source_url,
        "md5_hash": view.md5,
        "image_format": LEGACY_FORMATS.get(view.format, view.format),
        "detail_url": view.url,
        "download_url": view.download_url if view.downloadable else None,
        "result": view.result and legacy_image(view.result),
    }
