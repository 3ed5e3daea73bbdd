"""The route of thumbnails, which open without a token."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_304_NOT_MODIFIED

from apps.api.responses.addresses import THUMBNAILS
from apps.http.content_disposition import UNTRUSTED
from libs.auth.links import verify_thumbnail
from libs.backends import Backends
from libs.images.thumbnails import MIME, Thumbnails
from libs.storage import images
from libs.storage.image_errors import ImageNotFound


@get(f"{THUMBNAILS}/{{token:str}}", operation_id="openThumbnail", tags=["Links"])
async def open_thumbnail(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    backends: NamedDependency[Backends],
    thumbnails: NamedDependency[Thumbnails],
) -> Response[bytes]:
    """Get a small picture of an image, as WebP. This is no download, so no expiry starts."""
    image = await images.by_id(verify_thumbnail(backends.settings.secret_key, token))
    if image is None:
        raise ImageNotFound("the image of this thumbnail was deleted")
    headers = {**UNTRUSTED, "ETag": f'"{image.md5}"', "Cache-Control": "private, max-age=86400"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(await thumbnails.read(image), media_type=MIME, headers=headers)
