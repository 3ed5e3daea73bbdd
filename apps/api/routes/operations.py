"""Routes about operations: what there is, and what they make of an image."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from apps.api.context import RequestContext
from apps.api.middleware.key_access import needs
from apps.api.openapi.document import BEARER
from apps.api.openapi.operations_schema import SCHEMA_TYPE, operations_schema
from apps.http.content_disposition import UNTRUSTED
from libs.contracts.enums import Scope
from libs.contracts.views.images import PreviewRequest
from libs.delivery.presets import with_preset
from libs.delivery.previews import Previews, ShowPreview
from libs.storage import images

SCHEMA_S = 3600  # for which clients may keep the schema


@get(
    "/api/operations",
    operation_id="getOperations",
    media_type=SCHEMA_TYPE,
    sync_to_thread=False,
    tags=["Images"],
)
def get_operations() -> Response[bytes]:
    """Get the JSON Schema of all operations: their fields with types, ranges, defaults and descriptions.

    It needs no token. A program can make its forms from it.
    """
    headers = {"Cache-Control": f"public, max-age={SCHEMA_S}"}
    return Response(operations_schema(), media_type=SCHEMA_TYPE, headers=headers)


@post(
    "/api/images/{image_id:uuid}/preview",
    operation_id="previewImage",
    status_code=HTTP_200_OK,
    media_type="image/*",
    tags=["Images"],
    security=BEARER,
    opt=needs(Scope.IMAGES_READ),
)
async def preview_image(
    image_id: FromPath[UUID],
    data: JSONBody[PreviewRequest],
    context: NamedDependency[RequestContext],
    previews: NamedDependency[Previews],
) -> Response[bytes]:
    """Show what operations make of an image, without a job: nothing is stored, no expiry starts.

    The body is the result itself, hence its size is that of the result. A draft is made from a smaller image
    in a format that is encoded quickly, and shows about the same in a fraction of the time.
    """
    preview = await previews.show(
        ShowPreview(
            owner=context.caller,
            image=await images.owned_by(context.caller.id, image_id),
            operations=await with_preset(context.caller.id, data.preset, data.operations) or (),
            draft=data.draft,
        )
    )
    headers = {"Cache-Control": "no-store", **UNTRUSTED}
    return Response(preview.body, media_type=preview.rendered.mime, headers=headers)
