"""What an API key may do: the scope that each route needs."""

from typing import Any, ClassVar

from litestar import Request

from libs.auth.api_keys import parse_key
from libs.contracts.enums import Scope
from libs.contracts.outcome import Outcome
from libs.storage import api_keys
from libs.storage.database.errors import DatabaseFull, DatabaseUnavailable
from libs.storage.database.tables import ApiKey, BaseUser

READING_METHODS = frozenset({"GET", "HEAD"})
READING, CHANGING = "scope_to_read", "scope_to_change"
LOGIN_ONLY: dict[str, Any] = {READING: None, CHANGING: None}
"""The option of a route that no key may call, in a controller whose others it may."""


class LoginRequired(Exception):
    """This needs the access token of a login; an API key cannot do it."""

    code = "login_required"
    outcome: ClassVar[Outcome] = "refused"


class ScopeMissing(Exception):
    """The API key does not have the scope that this needs. Create a key that has it."""

    code = "scope_missing"
    outcome: ClassVar[Outcome] = "refused"

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"the API key does not have the scope {scope}")
        self.scope = scope


def needs(reading: Scope, changing: Scope | None = None) -> dict[str, Any]:
    """Return the route option that opens a route to keys of a scope; `changing` is for methods but GET.

    A route without it needs a login.
    """
    return {READING: reading, CHANGING: changing or reading}


def require_scope(request: Request[Any, Any, Any], scope: Scope) -> None:
    """Check that the request was made by a login, or by a key that has the scope.

    Raises:
        ScopeMissing: It was made by another key.
    """
    key: ApiKey | None = request.state.get("api_key")
    if key is not None and scope not in key.scopes.split():
        raise ScopeMissing(scope)


async def key_holder(request: Request[Any, Any, Any], text: str) -> BaseUser:
    """Return the account of an API key that may call this route from here.

    Raises:
        ApiKeyInvalid, ApiKeyExpired, AddressNotAllowed: The key is not valid here and now.
        LoginRequired, ScopeMissing: It may not do this.
    """
    key = parse_key(text)
    if key is None:
        raise api_keys.ApiKeyInvalid("the API key is not valid: it is mistyped or incomplete")
    address = request.client.host if request.client else ""
    user, row = await api_keys.authenticate(key.id, key.digest, address)
    request.state["api_key"] = row
    scope = request.scope["route_handler"].opt.get(READING if request.method in READING_METHODS else CHANGING)
    if scope is None:
        raise LoginRequired("this needs the access token of a login, not an API key")
    require_scope(request, scope)
    return user


async def note_key_use(request: Request[Any, Any, Any]) -> None:
    """Store that a key was used, after the response; a database that cannot is no fault of the request."""
    key: ApiKey | None = request.scope["state"].get("api_key")  # `request.state` is made at the first use
    if key is None or api_keys.is_use_noted(key):
        return
    try:
        await api_keys.note_use(key)
    except (DatabaseUnavailable, DatabaseFull):
        return
