"""Lists: an array, with the total and the next page in headers."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Protocol, TypeAlias, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response
from litestar.exceptions import ValidationException
from litestar.params import QueryParameter

from apps.api.context import RequestContext


class Identified(Protocol):
    """A view with an id, which the next page follows."""

    @property
    def id(self) -> UUID: ...


T = TypeVar("T", bound=Identified)

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=100, description="The greatest number of entries")]
Md5: TypeAlias = Annotated[
    str | None, QueryParameter(pattern="^[0-9A-Fa-f]{32}$", description="32 hex digits")
]


def in_utc(name: str, moment: datetime | None) -> datetime | None:
    """Convert a time of the query to UTC; without an offset, it is UTC.

    Raises:
        ValidationException: The time is out of range.
    """
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValidationException(extra=[{"key": name, "message": "The time is out of range"}]) from error


def listed(views: Sequence[T], context: RequestContext, *, total: int, limit: int) -> Response[list[T]]:
    """Answer with a page as an array, and `Link: rel=next` (RFC 8288) if there may be more."""
    return Response(list(views), headers=page_headers(views, context, total=total, limit=limit))


def page_headers(
    views: Sequence[Identified], context: RequestContext, *, total: int, limit: int
) -> dict[str, str]:
    """Return the headers of a page: the total, and the address of the next page if there may be one."""
    headers = {"X-Total-Count": str(total)}
    if views and len(views) == limit:
        query = [
            (name, value) for name, value in context.request.query_params.multi_items() if name != "after"
        ]
        following = urlencode([*query, ("after", str(views[-1].id))])
        path = context.request.scope["raw_path"].decode("ascii")  # as the client wrote it
        headers["Link"] = f'<{context.base_url}{path}?{following}>; rel="next"'
    return headers
