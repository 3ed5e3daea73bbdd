"""Accounts, as older services called them."""

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_205_RESET_CONTENT

from apps.api.legacy import TAGS
from apps.api.middleware import authentication
from apps.api.routes.accounts import logged_in, logged_out, registered
from libs.backends import Backends
from libs.contracts.views.accounts import Login, RefreshRequest, Register, Registered, Tokens


class OldAccounts(Controller):
    """Accounts, as older services called them."""

    tags = TAGS

    @post(["/api/register", "/users/register"])
    async def register(self, data: JSONBody[Register]) -> Registered:
        """As `POST /accounts/register`."""
        return await registered(data)

    @post(["/api/login", "/api/token"], status_code=HTTP_200_OK, opt={"login": True})
    async def login(self, data: JSONBody[Login], backends: NamedDependency[Backends]) -> Tokens:
        """As `POST /accounts/login`."""
        return await logged_in(data, backends)

    @post("/api/token/refresh", status_code=HTTP_200_OK)
    async def refresh(self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]) -> Tokens:
        """As `POST /accounts/refresh`: a token sent as `refresh` stays good."""
        return await authentication.renewed(data, backends.settings)

    @post("/account/logout", status_code=HTTP_205_RESET_CONTENT)
    async def logout(
        self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]
    ) -> Response[None]:
        """As `POST /accounts/logout`."""
        return await logged_out(data, backends)
