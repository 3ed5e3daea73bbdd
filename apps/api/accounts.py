"""Routes over accounts and tokens."""

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from apps.api import auth, present
from apps.api.openapi import BEARER
from libs.announce import announce_cancelled
from libs.backends import Backends
from libs.contracts.views import Account, Login, RefreshRequest, Register, Tokens, UsageView
from libs.storage import accounts, tokens
from libs.storage.tables import BaseUser


class Accounts(Controller):
    """Accounts and the tokens that open them."""

    path = "/accounts"
    tags = ("Accounts",)

    @post("/register")
    async def register(self, data: JSONBody[Register]) -> Account:
        """Make an account."""
        return present.account(await accounts.register(data.username, data.email, data.password))

    @post("/login", status_code=HTTP_200_OK, opt={"login": True})
    async def login(self, data: JSONBody[Login], backends: NamedDependency[Backends]) -> Tokens:
        """Get an access and a refresh token."""
        user = await accounts.authenticate(data.username, data.password)
        first = await tokens.start_family(user, ttl_s=backends.settings.refresh_token_s)
        return auth.tokens_for(user.id, first, backends.settings)

    @post("/refresh", status_code=HTTP_200_OK)
    async def refresh(self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]) -> Tokens:
        """Use up a refresh token for a new pair; using it a second time ends the login."""
        user_id, jti = auth.refresh_claims(data.refresh_token, backends.settings)
        following = await tokens.rotate(jti, ttl_s=backends.settings.refresh_token_s)
        return auth.tokens_for(user_id, following, backends.settings)

    @post("/logout", status_code=HTTP_204_NO_CONTENT)
    async def logout(self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]) -> None:
        """End the login of a refresh token: none of its tokens works any more, at once."""
        _, jti = auth.refresh_claims(data.refresh_token, backends.settings)
        await tokens.revoke_family_of(jti)

    @get("/me", security=BEARER)
    async def me(self, caller: NamedDependency[BaseUser]) -> Account:
        """The caller's account."""
        return present.account(caller)

    @get("/me/usage", security=BEARER)
    async def used(self, caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]) -> UsageView:
        """What the caller uses of what is limited; edits with the tokens that they cost."""
        return await present.usage_of(caller, backends.settings)

    @delete("/me", security=BEARER)
    async def remove(self, caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]) -> None:
        """End the account and everything in it, for good."""
        await announce_cancelled(await accounts.delete(caller), caller.username, backends)
