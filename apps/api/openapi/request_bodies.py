"""The request bodies that handlers read themselves, which Litestar cannot describe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from litestar.openapi.spec import OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from msgspec import Struct

from libs.contracts.edits import MAX_IMAGES, Background, EditQuality, ResultFormat
from libs.contracts.views.images import EditRequest, ImageFromUrl, ImagePatch, ImagePut
from libs.contracts.views.search import SearchRequest
from libs.imaging.formats import ACCEPTED_NAMES

IMAGE_FILE = Schema(
    type=OpenAPIType.STRING,
    content_media_type="application/octet-stream",
    description=ACCEPTED_NAMES,
)
OPERATIONS_FIELD = Schema(
    type=OpenAPIType.STRING,
    content_media_type="application/json",
    description="A JSON list of operations, run in order. If a watermark names a `part`, the file of that "
    "name follows this field",
)
RETENTION_FIELD = Schema(
    type=OpenAPIType.STRING,
    enum=["keep", "ephemeral"],
    description="Default: keep without operations and prompt, else ephemeral",
)
DUPLICATE_FIELD = Schema(
    type=OpenAPIType.STRING,
    enum=["store", "return"],
    description="return: use a kept image with the same bytes instead of storing another",
)
WEBHOOK_FIELD = Schema(
    type=OpenAPIType.STRING, description="A URL that receives a signed event when the job ends"
)
EDIT_FIELDS: dict[str, Schema] = {
    "prompt": Schema(type=OpenAPIType.STRING, max_length=32_000, description="What the model changes"),
    "mask": Schema(
        type=OpenAPIType.STRING,
        content_media_type="application/octet-stream",
        description="A file, or the id of a stored image; the image is edited where the mask is transparent",
    ),
    "size": Schema(type=OpenAPIType.STRING, description="auto or WIDTHxHEIGHT"),
    "quality": Schema(type=OpenAPIType.STRING, enum=list(get_args(EditQuality))),
    "n": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=MAX_IMAGES, default=1),
    "output_format": Schema(type=OpenAPIType.STRING, enum=list(get_args(ResultFormat))),
    "background": Schema(type=OpenAPIType.STRING, enum=list(get_args(Background))),
}
UPLOAD_FIELDS: dict[str, Schema] = {
    "image": IMAGE_FILE,  # optional with a prompt
    "operations": OPERATIONS_FIELD,
    "retention": RETENTION_FIELD,
    "on_duplicate": DUPLICATE_FIELD,
    "webhook_url": WEBHOOK_FIELD,
    **EDIT_FIELDS,
}


def form_content(
    fields: Mapping[str, Schema], *, required: Sequence[str] = ()
) -> dict[str, OpenAPIMediaType]:
    """Describe a multipart form."""
    form = Schema(type=OpenAPIType.OBJECT, required=list(required), properties=dict(fields))
    return {"multipart/form-data": OpenAPIMediaType(schema=form)}


def json_content(body: type[Struct]) -> dict[str, OpenAPIMediaType]:
    """Refer to a JSON body, whose schema `document_problems` adds to the document."""
    reference = Reference(ref=f"#/components/schemas/{body.__name__}")
    return {"application/json": OpenAPIMediaType(schema=reference)}


@dataclass
class UploadOperation(Operation):
    """The body of `POST /api/images`."""

    def __post_init__(self) -> None:
        content = {**form_content(UPLOAD_FIELDS), **json_content(ImageFromUrl)}
        self.request_body = RequestBody(required=True, content=content)


@dataclass
class PatchOperation(Operation):
    """The body of `PATCH /api/images/{image_id}`."""

    def __post_init__(self) -> None:
        fields = {"image": IMAGE_FILE, **EDIT_FIELDS, "operations": OPERATIONS_FIELD}
        fields["webhook_url"] = WEBHOOK_FIELD
        content = {**form_content(fields, required=["image", "prompt"]), **json_content(ImagePatch)}
        self.request_body = RequestBody(required=True, content=content)


@dataclass
class PutOperation(Operation):
    """The body of `PUT /api/images/{image_id}`."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(required=True, content=json_content(ImagePut))


@dataclass
class EditOperation(Operation):
    """The body of `POST /api/images/{image_id}/edit`."""

    def __post_init__(self) -> None:
        fields = {**EDIT_FIELDS, "operations": OPERATIONS_FIELD, "retention": RETENTION_FIELD}
        fields["webhook_url"] = WEBHOOK_FIELD
        content = {**form_content(fields, required=["prompt"]), **json_content(EditRequest)}
        self.request_body = RequestBody(required=True, content=content)


@dataclass
class SearchOperation(Operation):
    """The body of `POST /api/images/search`."""

    def __post_init__(self) -> None:
        fields = {
            "image": IMAGE_FILE,
            "max_distance": Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=64, default=10),
            "limit": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=100, default=20),
        }
        content = {**form_content(fields, required=["image"]), **json_content(SearchRequest)}
        self.request_body = RequestBody(required=True, content=content)


@dataclass
class BatchOperation(Operation):
    """The body of `POST /api/batches`."""

    def __post_init__(self) -> None:
        fields = {
            "file": Schema(
                type=OpenAPIType.STRING,
                content_media_type="text/csv",
                description="A header, then a serial number, a product name and image URLs on each row",
            ),
            "webhook_url": Schema(
                type=OpenAPIType.STRING, description="A URL that receives a signed event when the batch ends"
            ),
            "operations": Schema(
                type=OpenAPIType.STRING,
                content_media_type="application/json",
                description="A JSON list of operations. Default: convert to JPEG with quality 50",
            ),
            "retention": Schema(type=OpenAPIType.STRING, enum=["keep", "ephemeral"], default="keep"),
            "on_missing_image": Schema(
                type=OpenAPIType.STRING,
                enum=["refuse", "skip"],
                default="refuse",
                description="What becomes of a row without an image URL",
            ),
        }
        self.request_body = RequestBody(required=True, content=form_content(fields, required=["file"]))
