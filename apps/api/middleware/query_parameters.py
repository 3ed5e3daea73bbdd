"""Query parameters: their names and types."""

from difflib import get_close_matches
from functools import cache
from typing import Any, cast

from litestar import Request
from litestar.exceptions import ValidationException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types.internal_types import PathParameterDefinition

from libs.contracts.decode_errors import CUTOFF, nearest_hint


async def refuse_misspelt_parameters(request: Request[Any, Any, Any]) -> None:
    """Refuse a query parameter whose name is nearly that of one that the address takes.

    A filter that is silently ignored answers with the wrong list. Other unknown names are ignored, since
    clients and proxies add their own (`_=1732`, `utm_source`).

    Raises:
        ValidationException: A name is misspelt; the message names the nearest right one.
    """
    if not request.scope["query_string"]:
        return
    known = _query_parameters(request.route_handler, tuple(request.path_params))
    misspelt = [
        {"message": f"unknown parameter `{name}`{nearest_hint(name, known)}", "key": name}
        for name in request.query_params
        if name not in known and get_close_matches(name.lower(), known, n=1, cutoff=CUTOFF)
    ]
    if misspelt:
        raise ValidationException(extra=misspelt)


@cache
def _query_parameters(handler: HTTPRouteHandler, in_path: tuple[str, ...]) -> frozenset[str]:
    """Return the names that a handler and its dependencies take from the query."""
    model = handler.create_kwargs_model(cast("dict[str, PathParameterDefinition]", dict.fromkeys(in_path)))
    return frozenset(parameter.field_alias for parameter in model.expected_query_params)


def parameter_type(handler: BaseRouteHandler, name: str) -> Any:  # noqa: ANN401 - any type
    """Return the type of a parameter of a handler or of one of its dependencies; None if there is none."""
    signatures = [
        handler.parsed_fn_signature,
        *(provided.parsed_fn_signature for provided in handler.resolve_dependencies().values()),
    ]
    found = (signature.parameters[name] for signature in signatures if name in signature.parameters)
    return next((parameter.annotation for parameter in found), None)
