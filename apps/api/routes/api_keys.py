"""Routes for API keys."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_201_CREATED
from msgspec import structs

from apps.api.context import RequestContext
from apps.api.middleware.key_access import LOGIN_ONLY, needs
from apps.api.openapi.document import BEARER, LOGIN
from apps.api.responses.api_key_views import api_key_view
from apps.api.responses.lists import Limit, listed
from libs.auth.api_keys import new_key
from libs.contracts.enums import Scope
from libs.contracts.views.api_keys import ApiKeyRequest, ApiKeyView, NewApiKey
from libs.storage import api_keys
from libs.storage.database.tables import BaseUser


class ApiKeys(Controller):
    """API keys, by which programs act for an account."""

    path = "/accounts/me/keys"
    tags = ("Accounts",)
    opt = needs(Scope.ACCOUNT)

    @post(operation_id="createApiKey", status_code=HTTP_201_CREATED, security=LOGIN, opt=LOGIN_ONLY)
    async def create(self, data: JSONBody[ApiKeyRequest], caller: NamedDependency[BaseUser]) -> NewApiKey:
        """Create an API key. Only this answer shows it; a key cannot create another."""
        key = new_key()
        row = await api_keys.create(caller.id, data, key_id=key.id, digest=key.digest)
        return NewApiKey(**structs.asdict(api_key_view(row)), key=key.text)

    @get(operation_id="listApiKeys", security=BEARER)
    async def list_keys(
        self,
        context: NamedDependency[RequestContext],
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[ApiKeyView]]:
        """List the caller's API keys, newest first, with the time of their last use."""
        found, total = await api_keys.page(context.caller.id, limit=limit, after=after)
        return listed([api_key_view(key) for key in found], context, total=total, limit=limit)

    @get("/{key_id:uuid}", operation_id="getApiKey", security=BEARER)
    async def get_key(self, key_id: FromPath[UUID], caller: NamedDependency[BaseUser]) -> ApiKeyView:
        """Get one API key, without the key itself."""
        return api_key_view(await api_keys.owned_by(caller.id, key_id))

    @delete("/{key_id:uuid}", operation_id="revokeApiKey", security=BEARER)
    async def revoke(self, key_id: FromPath[UUID], caller: NamedDependency[BaseUser]) -> None:
        """Revoke an API key. The next request with it is refused."""
        await api_keys.revoke(caller.id, key_id)
