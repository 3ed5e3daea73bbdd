"""Accounts and tokens for older clients."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_205_RESET_CONTENT
from msgspec import Meta, structs

from apps.api.legacy import TAGS
from apps.api.legacy.addresses import SLASHED
from apps.api.middleware.authentication import refresh_claims, tokens_for
from apps.api.middleware.login_limits import LoginLimits
from apps.api.middleware.query_parameters import ANY_PARAMETERS
from apps.api.routes.accounts import log_in, log_out, register, renew
from libs.backends import Backends
from libs.contracts.views.accounts import Account, Login, Register, Tokens
from libs.contracts.views.request_body import RequestBody
from libs.storage import refresh_tokens


class LegacyRefreshRequest(RequestBody, frozen=True, kw_only=True):
    """A refresh token. Sent as `refresh_token`, its use invalidates it; sent as `refresh`, it stays valid.

    Only the token of the login itself may be sent as `refresh`, not one that replaced another.
    """

    refresh_token: Annotated[str, Meta(max_length=4096)] | None = None
    """A refresh token; its use invalidates it."""
    refresh: Annotated[str, Meta(max_length=4096)] | None = None
    """The refresh token of the login itself; it stays valid."""

    def __post_init__(self) -> None:
        if (self.refresh_token is None) == (self.refresh is None):
            raise ValueError("send either `refresh_token` or `refresh`")


class LegacyAccount(Account, frozen=True, kw_only=True):
    """A new account, with a copy in `data`."""

    message: str
    """What was done."""
    data: Account
    """The account again."""


class LegacyTokens(Tokens, frozen=True, kw_only=True):
    """Bearer tokens. `access` and `refresh` repeat `access_token` and `refresh_token`."""

    access: str
    """The same as `access_token`."""
    refresh: str
    """The same as `refresh_token`."""


class LegacyAccounts(Controller):
    """Accounts and tokens for older clients."""

    tags = TAGS
    opt = ANY_PARAMETERS

    @post(
        ["/api/register", "/users/register", f"{SLASHED}/accounts/register"],
        opt={"limit": "register"},
    )
    async def register(self, data: JSONBody[Register], backends: NamedDependency[Backends]) -> LegacyAccount:
        """Create an account."""
        account = await register(data, backends.settings)
        return LegacyAccount(**structs.asdict(account), message="User registered successfully.", data=account)

    @post(
        ["/api/login", "/api/token", f"{SLASHED}/accounts/login"],
        status_code=HTTP_200_OK,
        opt={"limit": "login"},
    )
    async def login(
        self,
        data: JSONBody[Login],
        request: Request[Any, Any, Any],
        backends: NamedDependency[Backends],
        login_limits: NamedDependency[LoginLimits],
    ) -> LegacyTokens:
        """Get an access token and a refresh token."""
        login_limits.count(data.username, request)
        return _legacy_tokens(await log_in(data, request, backends.settings))

    @post(["/api/token/refresh", f"{SLASHED}/accounts/refresh"], status_code=HTTP_200_OK)
    async def refresh(
        self, data: JSONBody[LegacyRefreshRequest], backends: NamedDependency[Backends]
    ) -> LegacyTokens:
        """Get a new access token. A token sent as `refresh` stays valid; `refresh_token` is replaced too."""
        if data.refresh is None:
            return _legacy_tokens(await renew(data.refresh_token or "", backends.settings))
        user_id, jti = refresh_claims(data.refresh, backends.settings)
        tokens = tokens_for(user_id, await refresh_tokens.unrotated(jti), backends.settings)
        return _legacy_tokens(structs.replace(tokens, refresh_token=data.refresh))

    @post(["/account/logout", f"{SLASHED}/accounts/logout"], status_code=HTTP_205_RESET_CONTENT)
    async def logout(
        self, data: JSONBody[LegacyRefreshRequest], backends: NamedDependency[Backends]
    ) -> Response[None]:
        """End the login of a refresh token. The answer to `refresh` is 205, that to `refresh_token` 204."""
        response = await log_out(data.refresh or data.refresh_token or "", backends.settings)
        if data.refresh is not None:
            response.status_code = HTTP_205_RESET_CONTENT
        return response


def _legacy_tokens(tokens: Tokens) -> LegacyTokens:
    return LegacyTokens(**structs.asdict(tokens), access=tokens.access_token, refresh=tokens.refresh_token)
