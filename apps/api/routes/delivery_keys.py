"""Routes for the keys that sign addresses of images."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_201_CREATED
from msgspec import structs

from apps.api.middleware.key_access import LOGIN_ONLY, needs
from apps.api.openapi.document import BEARER, LOGIN
from apps.api.responses.preset_views import delivery_key_view
from libs.contracts.enums import Scope
from libs.contracts.views.delivery_keys import DeliveryKeyRequest, DeliveryKeyView, NewDeliveryKey
from libs.storage import delivery_keys
from libs.storage.database.tables import BaseUser


class DeliveryKeys(Controller):
    """Keys that sign addresses of the account's images."""

    path = "/accounts/me/delivery-keys"
    tags = ("Accounts",)
    opt = needs(Scope.ACCOUNT)

    @post(operation_id="createDeliveryKey", status_code=HTTP_201_CREATED, security=LOGIN, opt=LOGIN_ONLY)
    async def create(
        self, data: JSONBody[DeliveryKeyRequest], caller: NamedDependency[BaseUser]
    ) -> NewDeliveryKey:
        """Create a key that signs addresses of the caller's images. Only this answer shows its secret.

        Several keys are valid at the same time: for a new one, create it, sign with it, then revoke the old.
        """
        key = await delivery_keys.create(caller.id, data.name)
        return NewDeliveryKey(**structs.asdict(delivery_key_view(key)), secret=key.secret)

    @get(operation_id="listDeliveryKeys", security=BEARER)
    async def list_keys(self, caller: NamedDependency[BaseUser]) -> Response[list[DeliveryKeyView]]:
        """List the caller's delivery keys, newest first, without their secrets. There are at most 20."""
        found = await delivery_keys.all_of(caller.id)
        headers = {"X-Total-Count": str(len(found))}
        return Response([delivery_key_view(key) for key in found], headers=headers)

    @delete("/{delivery_key_id:uuid}", operation_id="revokeDeliveryKey", security=BEARER)
    async def revoke(self, delivery_key_id: FromPath[UUID], caller: NamedDependency[BaseUser]) -> None:
        """Revoke a delivery key. A second later, the addresses that it signed open nothing any more."""
        await delivery_keys.revoke(caller.id, delivery_key_id)
