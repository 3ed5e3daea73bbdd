"""Lists: an array, with the total and the next page in headers."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Protocol, TypeAlias, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
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
Time: TypeAlias = Annotated[
    str | None, QueryParameter(schema_extra={"format": "date-time"}, description="RFC 3339; UTC by default")
]
Md5: TypeAlias = Annotated[
    str | None, QueryParameter(pattern="^[0-9A-Fa-f]{32}$", description="32 hex digits")
]


def in_utc(name: str, text: str | None) -> datetime | None:
    """Read a time of the query, and convert it to UTC; without an offset, it is UTC.

    Litestar would also take a number, as seconds since 1970.

    Raises:
        ValidationException: It is no time of RFC 3339, or is out of range.
    """
    if text is None:
        return None
    try:
        moment = msgspec.convert(text, datetime)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except msgspec.ValidationError as error:
        raise ValidationException(extra=[{"key": name, "message": str(error)}]) from error
    except OverflowError as error:
        raise ValidationException(extra=[{"key": name, "message": "The time is out of range"}]) from error


def listed(views: Sequence[T], context: RequestContext, *, total: int, limit: int) -> Response[list[T]]:
    """Answer with a page as an array, and `Link: rel=next` (RFC 8288) if there may be more."""
    headers = page_headers(context, total=total, following=last_of(views, limit))
    return Response(list(views), headers=headers)


def last_of(views: Sequence[Identified], limit: int) -> str | None:
    """Return what the next page follows, if there may be one."""
    return str(views[-1].id) if views and len(views) == limit else None


def page_headers(
    context: RequestContext, *, total: int | None, following: str | None, name: str = "after"
) -> dict[str, str]:
    """Return the headers of a page: the total, and the address of the next, which follows `following`.

    `name` is the parameter that says so.
    """
    headers = {} if total is None else {"X-Total-Count": str(total)}
    if following is not None:
        query = [(key, value) for key, value in context.request.query_params.multi_items() if key != name]
        path = context.request.scope["raw_path"].decode("ascii")  # as the client wrote it
        headers["Link"] = f'<{context.base_url}{path}?{urlencode([*query, (name, following)])}>; rel="next"'
    return headers
