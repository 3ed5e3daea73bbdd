"""The route of links that open without a token."""

from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK

from apps.api.middleware.query_parameters import LINK_PARAMETERS
from apps.api.openapi.document import by_method
from apps.api.responses import files
from libs.auth.links import verify_link
from libs.backends import Backends
from libs.storage import images
from libs.storage.database.tables import now
from libs.storage.image_errors import ImageNotFound


@route(
    "/d/{token:str}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    operation_id=by_method(GET="openLink", HEAD="checkLink"),
    status_code=HTTP_200_OK,
    tags=["Links"],
    opt=LINK_PARAMETERS,
)
async def open_link(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    backends: NamedDependency[Backends],
    attachment: FromQuery[bool] = False,
) -> Response[Any]:
    """Open a link: stream the image or redirect to it. This counts as the image's download.

    With `attachment=true`, browsers save the file instead of showing it.
    """
    target = verify_link(backends.settings.secret_key, token)
    image = await images.by_id(target.image_id)
    if image is None:
        raise ImageNotFound("the image of this link was deleted")
    left_s = int(backends.settings.link_s)
    if target.expires_at is not None:
        left_s = int((target.expires_at - now()).total_seconds())
    disposition = "attachment" if attachment else "inline"
    return await files.redirect_or_stream(image, request, backends, expires_s=left_s, disposition=disposition)
