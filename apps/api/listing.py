"""Lists: an array, with the total and the next page in headers."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.params import QueryParameter

from libs.contracts.views import ImageView, JobView

T = TypeVar("T", ImageView, JobView)

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=100, description="How many at most")]


def listed(
    views: Sequence[T], request: Request[Any, Any, Any], at: str, *, total: int, limit: int
) -> Response[list[T]]:
    """The page as an array; `Link: rel=next` (RFC 8288) while there may be more."""
    headers = {"X-Total-Count": str(total)}
    if len(views) == limit:
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
        following = urlencode([*query, ("after", str(views[-1].id))])
        headers["Link"] = f'<{at}{request.url.path}?{following}>; rel="next"'
    return Response(list(views), headers=headers)
