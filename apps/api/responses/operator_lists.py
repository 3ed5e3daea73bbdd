"""Pages of operators' lists, whose totals end at 10,000."""

from collections.abc import Sequence
from typing import TypeVar

from litestar import Response

from apps.api.context import RequestContext
from apps.api.responses.lists import Identified, last_of, page_headers
from libs.storage.bounded_count import Total

T = TypeVar("T", bound=Identified)


def paged(views: Sequence[T], context: RequestContext, *, total: Total, limit: int) -> Response[list[T]]:
    """Answer with a page as an array, and `Link: rel=next` (RFC 8288) if there may be more."""
    return Response(list(views), headers=bounded_headers(context, total, following=last_of(views, limit)))


def bounded_headers(
    context: RequestContext, total: Total, *, following: str | None, name: str = "after"
) -> dict[str, str]:
    """Return the headers of a page; `X-Total-Count-Relation: gte` says that the total is not all."""
    headers = page_headers(context, total=total.counted, following=following, name=name)
    return headers | ({"X-Total-Count-Relation": "gte"} if total.has_more else {})
