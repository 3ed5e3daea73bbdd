"""The route of an archive of chosen images."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from apps.api.context import RequestContext
from apps.api.middleware.key_access import needs
from apps.api.openapi.document import BEARER
from apps.api.responses import files
from libs.contracts.enums import Scope
from libs.contracts.views.images import ArchiveRequest
from libs.images.archive import archive, named
from libs.storage import images
from libs.storage.database.tables import Image


@post(
    "/api/images/archive",
    operation_id="downloadArchive",
    status_code=HTTP_200_OK,
    media_type="application/zip",
    tags=["Images"],
    security=BEARER,
    opt=needs(Scope.IMAGES_READ),
)
async def download_archive(
    data: JSONBody[ArchiveRequest], context: NamedDependency[RequestContext]
) -> Stream:
    """Download chosen images in one ZIP file. Like that of a batch, it starts no image's expiry.

    Two images of one name get numbers. If there is no such image, or one is not ready, there is no file.
    """
    find = images.owned_by if data.version == "original" else images.latest_of
    found: list[Image] = [await find(context.caller.id, image_id) for image_id in dict.fromkeys(data.ids)]

    async def entries() -> files.Entries:
        for entry in named(found):
            yield entry

    return files.attachment(archive(entries(), context.backends.objects), "images.zip", "application/zip")
