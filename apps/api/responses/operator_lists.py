"""Pages of operators' lists, which have no totals."""

from collections.abc import Sequence
from typing import TypeVar

from litestar import Response

from apps.api.context import RequestContext
from apps.api.responses.lists import Identified, last_of, page_headers

T = TypeVar("T", bound=Identified)


def paged(views: Sequence[T], context: RequestContext, *, limit: int) -> Response[list[T]]:
    """Answer with a page as an array, and `Link: rel=next` (RFC 8288) if there may be more."""
    return Response(list(views), headers=page_headers(context, total=None, following=last_of(views, limit)))
