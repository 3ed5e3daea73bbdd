"""Routes for direct uploads: the announcement, and a signed address for stores that clients do not reach."""

from typing import Any

from litestar import Controller, Request, Response, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from apps.api.context import RequestContext
from apps.api.middleware.key_access import needs
from apps.api.middleware.upload_token_access import BY_UPLOAD_TOKEN
from apps.api.openapi.document import BEARER, UPLOAD
from apps.api.uploads import direct_upload
from apps.api.uploads.json_body import received_json
from libs.auth.upload_links import verify_upload
from libs.backends import Backends
from libs.contracts.enums import Scope
from libs.contracts.views.uploads import UploadRequest, UploadView
from libs.storage import direct_uploads
from libs.storage.direct_uploads import UploadNotFound


class Uploads(Controller):
    """Direct uploads."""

    path = "/api/uploads"
    tags = ("Images",)
    security = BEARER
    opt = needs(Scope.IMAGES_WRITE)

    @post(
        operation_id="openUpload",
        status_code=HTTP_201_CREATED,
        request_max_body_size=None,
        opt=BY_UPLOAD_TOKEN,
        security=UPLOAD,
    )
    async def open_upload(self, context: NamedDependency[RequestContext]) -> Response[UploadView]:
        """Announce a file, and get the address at which to store it, in the object store if possible.

        Then `POST /api/images` with `{"upload": id}` makes an image of it. Its bytes count for the quota
        until then. A file of which no image is made is removed after an hour.
        """
        body, digest = await received_json(context.request, UploadRequest)
        return await direct_upload.open_one(body, digest, context)


@put(
    "/u/{token:str}",
    operation_id="storeUpload",
    status_code=HTTP_204_NO_CONTENT,
    request_max_body_size=None,
    tags=["Images"],
)
async def store_upload(
    request: Request[Any, Any, Any], token: FromPath[str], backends: NamedDependency[Backends]
) -> Response[None]:
    """Store the file of an upload; the body is the file. The address is the `url` of `openUpload`."""
    upload = await direct_uploads.open_one(verify_upload(backends.settings.secret_key, token))
    if not await direct_uploads.has_active_owner(upload):
        raise UploadNotFound("the account of this upload is closed")
    return await direct_upload.receive(upload, request, backends)
