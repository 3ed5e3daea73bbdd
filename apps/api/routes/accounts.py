"""Routes over accounts and tokens."""

from typing import cast

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT, HTTP_205_RESET_CONTENT

from apps.api.middleware import authentication
from apps.api.openapi.document import BEARER
from apps.api.responses.account_views import account_view, usage_view
from libs.backends import Backends
from libs.contracts.views.accounts import (
    Account,
    Login,
    RefreshRequest,
    Register,
    Registered,
    Tokens,
    UsageView,
)
from libs.jobs.events import announce_cancelled
from libs.storage import accounts, refresh_tokens
from libs.storage.database.tables import BaseUser


class Accounts(Controller):
    """Accounts and the tokens that open them."""

    path = "/accounts"
    tags = ("Accounts",)

    @post("/register")
    async def register(self, data: JSONBody[Register]) -> Registered:
        """Make an account."""
        return await registered(data)

    @post("/login", status_code=HTTP_200_OK, opt={"login": True})
    async def login(self, data: JSONBody[Login], backends: NamedDependency[Backends]) -> Tokens:
        """Get an access and a refresh token."""
        return await logged_in(data, backends)

    @post("/refresh", status_code=HTTP_200_OK)
    async def refresh(self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]) -> Tokens:
        """Use up a `refresh_token` for a new pair; using it a second time ends the login.

        Sent as `refresh`, it stays good, and only the access token is new.
        """
        return await authentication.renewed(data, backends.settings)

    @post("/logout", status_code=HTTP_204_NO_CONTENT)
    async def logout(
        self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]
    ) -> Response[None]:
        """End the login of a refresh token: none of its tokens works any more, at once.

        Older clients, who send it as `refresh`, are answered 205.
        """
        return await logged_out(data, backends)

    @get("/me", security=BEARER)
    async def me(self, caller: NamedDependency[BaseUser]) -> Account:
        """The caller's account."""
        return account_view(caller)

    @get("/me/usage", security=BEARER)
    async def used(self, caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]) -> UsageView:
        """What the caller uses of what is limited; edits with the tokens that they cost."""
        return await usage_view(caller, backends.settings)

    @delete("/me", security=BEARER)
    async def remove(self, caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]) -> None:
        """End the account and everything in it, for good."""
        await announce_cancelled(await accounts.delete(caller), caller.username, backends)


async def registered(wanted: Register) -> Registered:
    """A new account.

    Raises:
        UsernameTaken, EmailTaken: It exists.
    """
    made = account_view(await accounts.register(wanted.username, wanted.email, wanted.password))
    return Registered(**msgspec.structs.asdict(made), message="User registered successfully.", data=made)


async def logged_in(wanted: Login, backends: Backends) -> Tokens:
    """The first tokens of a login.

    Raises:
        BadCredentials: No active account has this username and password.
    """
    user = await accounts.authenticate(wanted.username, wanted.password)
    first = await refresh_tokens.start_family(user, ttl_s=backends.settings.refresh_token_s)
    return authentication.tokens_for(user.id, first, backends.settings)


async def logged_out(wanted: RefreshRequest, backends: Backends) -> Response[None]:
    """End a login.

    Raises:
        SignatureInvalid, SignatureExpired: The token is not one of ours, or its time is over.
    """
    _, jti = authentication.refresh_claims(wanted.token, backends.settings)
    await refresh_tokens.revoke_family_of(jti)
    status = HTTP_204_NO_CONTENT if wanted.refresh is None else HTTP_205_RESET_CONTENT
    return cast("Response[None]", Response(b"", status_code=status))
