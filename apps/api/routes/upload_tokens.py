"""Routes for upload tokens."""

from datetime import datetime, timedelta
from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_201_CREATED
from msgspec import structs

from apps.api.context import RequestContext
from apps.api.middleware.key_access import needs
from apps.api.openapi.document import BEARER
from apps.api.responses.lists import Limit, listed
from apps.api.responses.upload_token_views import upload_token_view
from apps.api.uploads.errors import BadUpload
from libs.auth.key_form import ParsedKey
from libs.auth.upload_tokens import FORM
from libs.contracts import tags
from libs.contracts.enums import Scope
from libs.contracts.upload_terms import UploadTerms
from libs.contracts.views.upload_tokens import NewUploadToken, UploadTokenRequest, UploadTokenView
from libs.delivery.presets import with_preset
from libs.jobs import admission
from libs.storage import upload_tokens
from libs.storage.database.tables import ApiKey, BaseUser, now
from libs.storage.upload_tokens import NewToken


class UploadTokens(Controller):
    """Upload tokens, with which browsers that are not trusted may upload."""

    path = "/api/upload-tokens"
    tags = ("Images",)
    security = BEARER
    opt = needs(Scope.IMAGES_READ, Scope.IMAGES_WRITE)

    @post(operation_id="createUploadToken", status_code=HTTP_201_CREATED)
    async def create(
        self, data: JSONBody[UploadTokenRequest], context: NamedDependency[RequestContext]
    ) -> NewUploadToken:
        """Create a token that uploads a few images, and can do nothing else. Only this answer shows it.

        What becomes of the images is fixed here. It ends with its time, with the API key that made it, and
        with the account.
        """
        token = FORM.new()
        row = await upload_tokens.create(context.caller.id, await _checked(data, token, context))
        return NewUploadToken(**structs.asdict(upload_token_view(row)), token=token.text)

    @get(operation_id="listUploadTokens")
    async def list_tokens(
        self,
        context: NamedDependency[RequestContext],
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[UploadTokenView]]:
        """List the caller's upload tokens, newest first. A token stays for an hour after its end."""
        found, total = await upload_tokens.page(context.caller.id, limit=limit, after=after)
        return listed([upload_token_view(token) for token in found], context, total=total, limit=limit)

    @get("/{token_id:uuid}", operation_id="getUploadToken")
    async def get_token(self, token_id: FromPath[UUID], caller: NamedDependency[BaseUser]) -> UploadTokenView:
        """Get one upload token, without the token itself."""
        return upload_token_view(await upload_tokens.owned_by(caller.id, token_id))

    @delete("/{token_id:uuid}", operation_id="revokeUploadToken")
    async def revoke(self, token_id: FromPath[UUID], caller: NamedDependency[BaseUser]) -> None:
        """Revoke an upload token. Uploads that are on their way with it store nothing any more."""
        await upload_tokens.revoke(caller.id, token_id)


async def _checked(data: UploadTokenRequest, token: ParsedKey, context: RequestContext) -> NewToken:
    """Return what to store of a token.

    Raises:
        BadUpload: `max_bytes` is beyond the limit of this server.
        PresetNotFound, UrlForbidden, TooManyOperations, ImageNotFound, AssetMissing: No upload would be
            accepted.
    """
    limit = context.settings.max_upload_bytes
    if data.max_bytes is not None and data.max_bytes > limit:
        text = f"the limit on uploads is {limit} bytes"
        raise BadUpload(f"max_bytes: {text}", [{"message": text, "key": "max_bytes"}])
    operations = await with_preset(context.caller.id, data.preset, data.operations)
    await admission.check_operations(operations or (), context.caller, context.backends)
    if data.webhook_url is not None:
        context.backends.guard.check_url(data.webhook_url)
    key: ApiKey | None = context.request.state.get("api_key")
    return NewToken(
        token_id=token.id,
        digest=token.digest,
        made_by=key and key.id,
        max_bytes=data.max_bytes or limit,
        formats=data.formats or (),
        terms=UploadTerms(
            operations=None if operations is None else tuple(operations),
            retention=data.retention,
            result_retention=data.result_retention,
            tags=tags.normalised(data.tags) or (),
            webhook_url=data.webhook_url,
        ),
        allowed=data.count,
        expires_at=_end(data.expires_in, key),
    )


def _end(expires_in: int, key: ApiKey | None) -> datetime:
    """Return when a token ends: no later than the key that makes it."""
    end = now() + timedelta(seconds=expires_in)
    return end if key is None or key.expires_at is None else min(end, key.expires_at)
