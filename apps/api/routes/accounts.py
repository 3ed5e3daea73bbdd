"""Routes for accounts and tokens."""

from typing import Any, cast

from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from apps.api.middleware.authentication import refresh_claims, tokens_for
from apps.api.middleware.key_access import needs
from apps.api.middleware.login_limits import LoginLimits
from apps.api.openapi.document import BEARER, LOGIN
from apps.api.responses.account_views import account_view, usage_view
from libs.backends import Backends
from libs.contracts.enums import Scope
from libs.contracts.views.accounts import (
    Account,
    Login,
    PasswordConfirmation,
    RefreshRequest,
    Register,
    Tokens,
    UsageView,
)
from libs.jobs.cancel import publish_cancelled
from libs.settings import Settings
from libs.storage import accounts, passwords, refresh_tokens
from libs.storage.database.tables import BaseUser


class Accounts(Controller):
    """Accounts and their tokens."""

    path = "/accounts"
    tags = ("Accounts",)

    @post("/register", operation_id="registerAccount", opt={"limit": "register"})
    async def register(self, data: JSONBody[Register], backends: NamedDependency[Backends]) -> Account:
        """Create an account."""
        return await register(data, backends.settings)

    @post("/login", operation_id="logIn", status_code=HTTP_200_OK, opt={"limit": "login"})
    async def login(
        self,
        data: JSONBody[Login],
        request: Request[Any, Any, Any],
        backends: NamedDependency[Backends],
        login_limits: NamedDependency[LoginLimits],
    ) -> Tokens:
        """Get an access token and a refresh token."""
        login_limits.count(data.username, request)
        return await log_in(data, request, backends.settings)

    @post("/refresh", operation_id="refreshTokens", status_code=HTTP_200_OK)
    async def refresh(self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]) -> Tokens:
        """Exchange a refresh token for a new pair of tokens. Using it a second time ends the login."""
        return await renew(data.refresh_token, backends.settings)

    @post("/logout", operation_id="logOut", status_code=HTTP_204_NO_CONTENT)
    async def logout(
        self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]
    ) -> Response[None]:
        """End the login of a refresh token. All of its tokens are invalid at once."""
        return await log_out(data.refresh_token, backends.settings)

    @get("/me", operation_id="getAccount", opt=needs(Scope.ACCOUNT), security=BEARER)
    async def me(self, caller: NamedDependency[BaseUser]) -> Account:
        """Get the caller's account."""
        return account_view(caller)

    @get("/me/usage", operation_id="getUsage", opt=needs(Scope.ACCOUNT), security=BEARER)
    async def usage(
        self, caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]
    ) -> UsageView:
        """Get the caller's use of each limited resource, and the tokens of its edits."""
        return await usage_view(caller, backends.settings)

    @delete("/me", operation_id="deleteAccount", security=LOGIN)
    async def remove(
        self,
        data: JSONBody[PasswordConfirmation],
        request: Request[Any, Any, Any],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        login_limits: NamedDependency[LoginLimits],
    ) -> None:
        """Delete the caller's account and everything in it, permanently. The body has its password."""
        login_limits.count(caller.username, request)
        await passwords.check(caller, data.password)
        await publish_cancelled(await accounts.delete(caller), caller.username, backends)


async def register(requested: Register, settings: Settings) -> Account:
    """Create an account.

    Raises:
        RegistrationClosed: Only operators create accounts here.
        UsernameTaken, EmailTaken: Another account has the name or the address.
    """
    if settings.registration == "closed":
        raise accounts.RegistrationClosed("only operators of this server create accounts")
    return account_view(await accounts.register(requested.username, requested.email, requested.password))


async def log_in(credentials: Login, request: Request[Any, Any, Any], settings: Settings) -> Tokens:
    """Start a login of the program that makes the request, and return its first tokens.

    Raises:
        BadCredentials: No active account has this username and password.
    """
    user = await accounts.authenticate(credentials.username, credentials.password)
    user_agent = request.headers.get("user-agent")
    first = await refresh_tokens.start_family(user, ttl_s=settings.refresh_token_s, user_agent=user_agent)
    return tokens_for(user.id, first, settings)


async def renew(refresh_token: str, settings: Settings, *, grace_s: float = 0) -> Tokens:
    """Exchange a refresh token for a new pair of tokens; `grace_s` is that of `refresh_tokens.rotate`.

    Raises:
        SignatureInvalid, SignatureExpired, TokenError: The token is not valid, or was used before.
    """
    user_id, jti = refresh_claims(refresh_token, settings)
    following = await refresh_tokens.rotate(jti, ttl_s=settings.refresh_token_s, grace_s=grace_s)
    return tokens_for(user_id, following, settings)


async def log_out(refresh_token: str, settings: Settings) -> Response[None]:
    """End the login of a refresh token.

    Raises:
        SignatureInvalid, SignatureExpired: The token is not valid.
    """
    _, jti = refresh_claims(refresh_token, settings)
    await refresh_tokens.revoke_family_of(jti)
    return cast("Response[None]", Response(b"", status_code=HTTP_204_NO_CONTENT))
