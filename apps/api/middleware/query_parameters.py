"""Query parameters: their names and types."""

from difflib import get_close_matches
from functools import cache
from typing import Any, cast

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.types.internal_types import PathParameterDefinition

from apps.api.middleware.upload_token_access import PARAMETER as UPLOAD_TOKEN
from libs.contracts.decode_errors import CUTOFF, explained_parameter, nearest_hint

_ONLY_KNOWN = "only_known_parameters"
ONLY_KNOWN: dict[str, Any] = {_ONLY_KNOWN: True}


async def refuse_misspelt_parameters(request: Request[Any, Any, Any]) -> None:
    """Refuse a query parameter whose name is nearly that of one that the address takes.

    Routes with `ONLY_KNOWN` refuse every other name: a filter that is silently ignored answers with the wrong
    list. Elsewhere other unknown names are ignored, since clients and proxies add their own (`_=1732`,
    `utm_source`).

    Raises:
        ValidationException: A name is misspelt; the message names the nearest right one, or all.
    """
    if not request.scope["query_string"]:
        return
    known = _query_parameters(request.route_handler, tuple(request.path_params))
    only_known = request.route_handler.opt.get(_ONLY_KNOWN, False)
    misspelt = [
        {"message": f"unknown parameter `{name}`{nearest_hint(name, sorted(known))}", "key": name}
        for name in request.query_params
        if name not in known and (only_known or get_close_matches(name.lower(), known, n=1, cutoff=CUTOFF))
    ]
    if misspelt:
        raise ValidationException(extra=misspelt)


@cache
def _query_parameters(handler: HTTPRouteHandler, in_path: tuple[str, ...]) -> frozenset[str]:
    """Return the names that a handler and its dependencies take from the query, and that of a credential."""
    model = handler.create_kwargs_model(cast("dict[str, PathParameterDefinition]", dict.fromkeys(in_path)))
    return frozenset(parameter.field_alias for parameter in model.expected_query_params) | {UPLOAD_TOKEN}


def parameter_faults(request: Request[Any, Any, Any]) -> list[dict[str, str]]:
    """Return what is wrong with the values of the query; Litestar stops at the first."""
    handler = request.route_handler
    models = [
        handler.signature_model,
        *(provided.signature_model for provided in handler.resolve_dependencies().values()),
    ]
    kinds = {field.name: field.type for model in models for field in msgspec.structs.fields(model)}
    found: list[dict[str, str]] = []
    for name, value in request.query_params.items():
        try:
            msgspec.convert(value, kinds.get(name, Any), strict=False)
        except msgspec.ValidationError as error:
            found.append({"message": explained_parameter(str(error), name, kinds[name]), "key": name})
    return found
