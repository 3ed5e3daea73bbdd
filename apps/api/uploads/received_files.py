"""Files that a request brings: the image itself, and others that its operations name."""

import hashlib
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from msgspec import structs

from apps.api.context import RequestContext, job_options
from apps.api.uploads.json_body import ImageJson
from apps.api.uploads.multipart_form import Form, ReceivedFile
from apps.api.uploads.upload_form import UPLOAD_FORM
from libs.backends import Backends
from libs.contracts.enums import Retention
from libs.images import expiry
from libs.images.upload import CreateImage, Upload, create_image
from libs.imaging.header import read_header
from libs.outbound import decoded_data_url
from libs.runtime.threads import PARSING, SCRATCH
from libs.storage.database.tables import Image, new_id


async def checked_upload(context: RequestContext, file: ReceivedFile) -> Upload:
    """Check a file's header.

    Raises:
        SourceFault: It is not an accepted image.
    """
    header = await PARSING.run(read_header, file.path, context.settings.image_limits)
    return Upload(
        path=file.path, filename=file.filename, size_bytes=file.size_bytes, md5=file.md5, header=header
    )


@asynccontextmanager
async def data_url_file(
    received: ImageJson[Any], url: str, filename: str, backends: Backends
) -> AsyncGenerator[ReceivedFile]:
    """Provide the bytes of a body's `data:` URL as a file, which is removed unless it was consumed."""
    if received.file is not None:
        yield structs.replace(received.file, filename=filename)
        return
    limit = backends.settings.max_upload_bytes  # the URL is spelled in a way that was not recognised at first
    content = await PARSING.run(lambda: b"".join(decoded_data_url(url, max_bytes=limit)))
    path = backends.scratch / f"upload-{new_id()}"
    try:
        await SCRATCH.run(path.write_bytes, content)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        yield ReceivedFile(path, filename, len(content), md5)
    finally:
        path.unlink(missing_ok=True)


async def store_ephemeral(file: ReceivedFile, context: RequestContext) -> Image:
    """Store a file as an ephemeral image without operations.

    Raises:
        SourceFault, QuotaExceeded, TooManyJobs, StoreUnavailable: Nothing is stored.
    """
    command = CreateImage(
        owner=context.caller,
        upload=await checked_upload(context, file),
        options=job_options(),
        retention=Retention.EPHEMERAL,
    )
    image, _ = await create_image(command, context.backends)
    return image


@asynccontextmanager
async def stored_parts(
    form: Form, context: RequestContext, *, besides: Collection[str] = UPLOAD_FORM.image_names
) -> AsyncGenerator[dict[str, UUID]]:
    """Store the form's files besides the image as ephemeral images; delete them if the block fails."""
    stored: dict[str, Image] = {}
    try:
        for name in sorted(form.files.keys() - set(besides)):
            stored[name] = await store_ephemeral(form.files[name], context)
        yield {name: image.id for name, image in stored.items()}
    except BaseException:
        for image in stored.values():
            await expiry.discard(image, context.caller, context.backends)
        raise
