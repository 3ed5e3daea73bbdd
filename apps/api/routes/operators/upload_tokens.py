"""Upload tokens of all accounts, for operators."""

from uuid import UUID

from litestar import Controller, Response, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_204_NO_CONTENT

from apps.api.middleware.key_access import LOGIN_ONLY
from apps.api.openapi.document import LOGIN
from apps.api.operator_context import OperatorContext
from apps.api.responses.lists import Limit
from apps.api.responses.operator_lists import paged
from apps.api.responses.record_views import upload_token_records
from libs.contracts.views.operator_records import OwnedUploadTokenView
from libs.storage import account_access, site_lists, upload_tokens


class AllUploadTokens(Controller):
    """Upload tokens of all accounts. All operators revoke them."""

    path = "/api/operator/upload-tokens"
    tags = ("Operators",)
    security = LOGIN
    opt = LOGIN_ONLY

    @get(operation_id="listAllUploadTokens")
    async def list_tokens(
        self,
        operator: NamedDependency[OperatorContext],
        owner: FromQuery[str | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Response[list[OwnedUploadTokenView]]:
        """List upload tokens of all accounts, newest first. A token stays for an hour after its end."""
        account = await site_lists.owner_of(owner)
        found, total = await account_access.page_of_upload_tokens(owner=account, after=after, limit=limit)
        return paged(await upload_token_records(found), operator, total=total, limit=limit)

    @delete("/{token_id:uuid}", operation_id="revokeAnyUploadToken", status_code=HTTP_204_NO_CONTENT)
    async def revoke(self, token_id: FromPath[UUID], operator: NamedDependency[OperatorContext]) -> None:
        """Revoke an upload token of any account. Uploads on their way with it store nothing any more."""
        token = await upload_tokens.by_id(token_id)
        await upload_tokens.revoke(token.owner, token.id)
        names = await site_lists.names_of([token.owner])
        await operator.note("upload_token.revoke", token_id, f"{token.token_id} of {names.get(token.owner)}")
