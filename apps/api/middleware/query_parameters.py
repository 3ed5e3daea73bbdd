"""Query parameters: their names and types."""

from difflib import get_close_matches
from functools import cache
from typing import Any, cast

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.types.internal_types import PathParameterDefinition

from apps.api.middleware.upload_token_access import BY_UPLOAD_TOKEN
from apps.api.middleware.upload_token_access import PARAMETER as UPLOAD_TOKEN
from libs.contracts.decode_errors import CUTOFF, explained_parameter, nearest_hint

TICKET = "ticket"
CREDENTIALS = frozenset((TICKET, UPLOAD_TOKEN))
"""Known at every address: where they open nothing, the request has no login, and is refused for that."""
_OTHERS = "other_parameters"
ANY_PARAMETERS: dict[str, Any] = {_OTHERS: "ignored"}
"""The option of legacy routes: the older services ignored what they did not know, so clients may send it."""
LINK_PARAMETERS: dict[str, Any] = {_OTHERS: "misspelt only"}
"""The option of links that people open: mail programs and counters of visits add parameters to them."""
MAX_NAMED = 20  # unknown parameters in one answer


async def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """Refuse query parameters that the operation does not take: one that is ignored gives a wrong answer.

    Routes with `LINK_PARAMETERS` refuse only names that are nearly those of their own. Legacy routes, and
    pages that the description does not name, ignore all others.

    Raises:
        ValidationException: The message names the nearest right name, or else all that the operation takes.
    """
    if not request.scope["query_string"]:
        return
    handler = request.route_handler
    others = handler.opt.get(_OTHERS)
    if others == ANY_PARAMETERS[_OTHERS] or not handler.resolve_include_in_schema():
        return
    taken = _query_parameters(handler, tuple(request.path_params))
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in taken | CREDENTIALS]
    if others is not None:
        unknown = [name for name in unknown[:MAX_NAMED] if _is_misspelt(name, taken)]
    if unknown:
        raise ValidationException(
            extra=[{"message": _unknown(name, taken), "key": name} for name in unknown[:MAX_NAMED]]
        )


def refuses_parameters(handler: HTTPRouteHandler) -> bool:
    """Return whether a route of the description refuses unknown query parameters."""
    return handler.opt.get(_OTHERS) != ANY_PARAMETERS[_OTHERS]


def _is_misspelt(name: str, taken: frozenset[str]) -> bool:
    return bool(get_close_matches(name.lower(), taken, n=1, cutoff=CUTOFF))


def _unknown(name: str, taken: frozenset[str]) -> str:
    hint = nearest_hint(name, sorted(taken), shown=len(taken)) if taken else ": this operation takes none"
    return f"unknown parameter `{name}`{hint}"


@cache
def _query_parameters(handler: HTTPRouteHandler, in_path: tuple[str, ...]) -> frozenset[str]:
    """Return the names that a handler and its dependencies take from the query; one may be a credential."""
    model = handler.create_kwargs_model(cast("dict[str, PathParameterDefinition]", dict.fromkeys(in_path)))
    taken = frozenset(parameter.field_alias for parameter in model.expected_query_params)
    return taken if BY_UPLOAD_TOKEN.keys().isdisjoint(handler.opt) else taken | {UPLOAD_TOKEN}


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
