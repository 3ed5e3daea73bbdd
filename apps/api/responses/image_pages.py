"""The query of a list of images, and the places where its pages end."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias, cast
from uuid import UUID

import msgspec
from litestar.exceptions import ValidationException
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from apps.api.context import RequestContext
from apps.api.responses.lists import Limit, Md5, Time, in_utc, page_headers
from libs.contracts import tags as image_tags
from libs.contracts.views.images import WireStatus
from libs.imaging.formats import FormatName
from libs.storage import image_list
from libs.storage.database.tables import Image
from libs.storage.image_list import NEWEST_FIRST, Filter, Order, Place, SortedBy

Sort: TypeAlias = Literal["created_at", "-created_at", "filename", "-filename", "size_bytes", "-size_bytes"]
Text: TypeAlias = Annotated[
    str | None, QueryParameter(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")
]
Url: TypeAlias = Annotated[
    str | None, QueryParameter(min_length=1, max_length=8192, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")
]
Bytes: TypeAlias = Annotated[int | None, QueryParameter(ge=0, le=2**53)]
PLACE = r"^(?:([^\x00-\x1f\x7f]*)\.)?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$(?!\n)"
After: TypeAlias = Annotated[str | None, QueryParameter(max_length=400, pattern=PLACE)]
MAX_BIGINT = 2**63 - 1


class PageRequest(Struct, frozen=True, kw_only=True):
    """Which page of a list is requested."""

    order: Order
    after: Place | None
    limit: int


def image_filter(
    status: FromQuery[WireStatus | None] = None,
    format: FromQuery[FormatName | None] = None,
    md5: Md5 = None,
    parent: FromQuery[UUID | None] = None,
    filename: Text = None,
    tags: Url = None,
    source_url: Url = None,
    min_size_bytes: Bytes = None,
    max_size_bytes: Bytes = None,
    has_alpha: FromQuery[bool | None] = None,
    public: FromQuery[bool | None] = None,
    camera: Text = None,
    created_after: Time = None,
    created_before: Time = None,
) -> Filter:
    """Read the filter of a list of images from the query."""
    return Filter(
        status=status,
        format=format,
        md5=md5,
        parent=parent,
        filename=filename,
        tags=_tags(tags),
        source_url=source_url,
        min_size_bytes=min_size_bytes,
        max_size_bytes=max_size_bytes,
        has_alpha=has_alpha,
        public=public,
        camera=camera,
        created_after=in_utc("created_after", created_after),
        created_before=in_utc("created_before", created_before),
    )


def image_page(sort: FromQuery[Sort | None] = None, after: After = None, limit: Limit = 20) -> PageRequest:
    """Read from the query which page of the list is requested, and in which order."""
    order = NEWEST_FIRST
    if sort is not None:
        order = Order(cast("SortedBy", sort.removeprefix("-")), descending=sort.startswith("-"))
    return PageRequest(order=order, after=_place(after, order), limit=limit)


async def found(
    context: RequestContext, filtered_by: Filter, page: PageRequest
) -> tuple[list[Image], dict[str, str]]:
    """Return the images of a page, and the headers of the answer."""
    images, total = await image_list.page(
        context.caller.id, filtered_by, limit=page.limit, after=page.after, order=page.order
    )
    following = _text(images[-1], page.order) if images and len(images) == page.limit else None
    return images, page_headers(context, total=total, following=following)


def _tags(text: str | None) -> tuple[str, ...]:
    try:
        return image_tags.from_text(text or "")
    except msgspec.ValidationError as error:
        raise ValidationException(extra=[{"key": "tags", "message": str(error)}]) from error


def _text(image: Image, order: Order) -> str:
    """Write where a page ends."""
    key = order.key(image)
    if key is None:
        return str(image.id)
    return f"{key.isoformat() if isinstance(key, datetime) else key}.{image.id}"


def _place(after: str | None, order: Order) -> Place | None:
    """Read where the page before ended.

    Raises:
        ValidationException: It is no place of a list in this order.
    """
    if after is None:
        return None
    match = re.match(PLACE, after)
    if match is not None:
        try:
            return Place(UUID(match[2]), _key(match[1], order))
        except (ValueError, OverflowError):
            pass
    raise ValidationException(extra=[{"key": "after", "message": "Take it from the header Link"}])


def _key(text: str | None, order: Order) -> Any:  # noqa: ANN401 - of the order's type
    """Convert the key of a place.

    Raises:
        ValueError, OverflowError: It is none of this order.
    """
    if (text is None) != (order.by == "id"):
        raise ValueError(text)
    if text is None or order.by == "filename":
        return text
    if order.by == "created_at":
        moment = msgspec.convert(text, datetime)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not 0 <= (size := int(text)) <= MAX_BIGINT:
        raise OverflowError(text)
    return size
