"""The API's description, and a page for it that needs nothing from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from litestar import Response, Router, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    Operation,
    Reference,
    RequestBody,
    Schema,
    SecurityRequirement,
    SecurityScheme,
    Tag,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType]
from msgspec import Struct

from apps.api.legacy.operations import TYPES as OLD_TYPES
from libs.contracts import asyncapi
from libs.contracts.edits import MAX_IMAGES, Background, EditQuality, ResultFormat
from libs.contracts.views.images import EditRequest, ImageFromUrl, ImagePatch, ImagePut
from libs.contracts.views.search import SearchRequest

ASSETS = "/schema/assets"
BEARER: list[SecurityRequirement] = [{"bearer": []}]  # on the routes that ask who is calling
OPERATIONS = (
    "A JSON list of operations, run in order. Where a watermark names a `part`, the file of that name "
    "comes after this field"
)


IMAGE_FILE = Schema(
    type=OpenAPIType.STRING,
    content_media_type="application/octet-stream",
    description="JPEG, PNG, WebP, GIF, AVIF, TIFF or BMP",
)


EDIT_FIELDS: dict[str, Schema] = {
    "prompt": Schema(type=OpenAPIType.STRING, max_length=32_000, description="What a model is to change"),
    "mask": Schema(
        type=OpenAPIType.STRING,
        content_media_type="application/octet-stream",
        description="A file, or the id of a stored image: where it is clear, the image is edited",
    ),
    "size": Schema(type=OpenAPIType.STRING, description="auto or WIDTHxHEIGHT"),
    "quality": Schema(type=OpenAPIType.STRING, enum=list(get_args(EditQuality))),
    "n": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=MAX_IMAGES, default=1),
    "output_format": Schema(type=OpenAPIType.STRING, enum=list(get_args(ResultFormat))),
    "background": Schema(type=OpenAPIType.STRING, enum=list(get_args(Background))),
}
OPERATIONS_FIELD = Schema(
    type=OpenAPIType.STRING, content_media_type="application/json", description=OPERATIONS
)
RETENTION_FIELD = Schema(
    type=OpenAPIType.STRING,
    enum=["keep", "ephemeral"],
    description="keep without operations and prompt, else ephemeral",
)


WEBHOOK_FIELD = Schema(type=OpenAPIType.STRING, description="Told how the job ended")


def _body(form: dict[str, Schema], json: type[Struct], *, required: Sequence[str] = ()) -> RequestBody:
    """What a call that reads its own body takes: a form, or JSON."""
    as_form = Schema(type=OpenAPIType.OBJECT, required=list(required), properties=dict(form))
    return RequestBody(
        required=True, content={"multipart/form-data": OpenAPIMediaType(schema=as_form), **_json(json)}
    )


def _json(kind: type[Struct]) -> dict[str, OpenAPIMediaType]:
    """A JSON body of a kind that `document_problems` adds to the schemas."""
    reference = Reference(ref=f"#/components/schemas/{kind.__name__}")
    return {"application/json": OpenAPIMediaType(schema=reference)}


@dataclass
class UploadOperation(Operation):
    """`POST /api/images` reads its own body, off the wire; this says what the body holds."""

    def __post_init__(self) -> None:
        duplicate = Schema(
            type=OpenAPIType.STRING,
            enum=["store", "return"],
            description="return: a kept image with the same bytes serves instead",
        )
        self.request_body = _body(
            {
                "image": IMAGE_FILE,  # may be left out with a prompt
                "operations": OPERATIONS_FIELD,
                "retention": RETENTION_FIELD,
                "on_duplicate": duplicate,
                "webhook_url": WEBHOOK_FIELD,
                **EDIT_FIELDS,
            },
            ImageFromUrl,
        )


@dataclass
class BatchOperation(Operation):
    """`POST /api/batches` reads its own form."""

    def __post_init__(self) -> None:
        fields: dict[str, Schema | Reference] = {
            "file": Schema(
                type=OpenAPIType.STRING,
                content_media_type="text/csv",
                description="A serial number, a product name and image URLs on each row, below a header",
            ),
            "webhook_url": Schema(type=OpenAPIType.STRING, description="Told when the batch has ended"),
            "operations": Schema(
                type=OpenAPIType.STRING,
                content_media_type="application/json",
                description="A JSON list of operations; JPEG of quality 50 without",
            ),
            "retention": Schema(type=OpenAPIType.STRING, enum=["keep", "ephemeral"], default="keep"),
        }
        form = Schema(type=OpenAPIType.OBJECT, required=["file"], properties=fields)
        self.request_body = RequestBody(
            required=True, content={"multipart/form-data": OpenAPIMediaType(schema=form)}
        )


class EditOperation(Operation):
    """`POST /api/images/{id}/edit` reads its own body too."""

    def __post_init__(self) -> None:
        form = {**EDIT_FIELDS, "operations": OPERATIONS_FIELD, "retention": RETENTION_FIELD}
        form["webhook_url"] = WEBHOOK_FIELD
        self.request_body = _body(form, EditRequest, required=["prompt"])


@dataclass
class SearchOperation(Operation):
    """`POST /api/images/search` reads its own body too."""

    def __post_init__(self) -> None:
        self.request_body = _body(
            {
                "image": IMAGE_FILE,
                "max_distance": Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=64, default=10),
                "limit": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=100, default=20),
            },
            SearchRequest,
            required=["image"],
        )


@dataclass
class OldUploadOperation(Operation):
    """`POST /images` takes what `POST /api/images` takes."""

    def __post_init__(self) -> None:
        self.request_body = UploadOperation().request_body


@dataclass
class OldEditOperation(Operation):
    """`PATCH /images` takes a form with an image and a prompt."""

    def __post_init__(self) -> None:
        form = Schema(
            type=OpenAPIType.OBJECT,
            required=["image", "prompt"],
            properties={"image": IMAGE_FILE, **EDIT_FIELDS, "operations": OPERATIONS_FIELD},
        )
        self.request_body = RequestBody(
            required=True, content={"multipart/form-data": OpenAPIMediaType(schema=form)}
        )


@dataclass
class OldTransformOperation(Operation):
    """`POST /images/{id}/transform`: JSON, or a form that brings the watermark along."""

    def __post_init__(self) -> None:
        kind = Schema(type=OpenAPIType.STRING, enum=sorted(OLD_TYPES))
        parameters = Schema(description="As the type has it; several types may stand here by their names")
        fields = {"transformation_type": kind, "transformation_parameters": parameters}
        as_json = Schema(type=OpenAPIType.OBJECT, properties=dict(fields))
        as_form = Schema(type=OpenAPIType.OBJECT, properties={**fields, "image": IMAGE_FILE})
        self.request_body = RequestBody(
            required=True,
            content={
                "application/json": OpenAPIMediaType(schema=as_json),
                "multipart/form-data": OpenAPIMediaType(schema=as_form),
            },
        )


@dataclass
class PatchOperation(Operation):
    """`PATCH /api/images/{image_id}` reads its own body: its `image_url` may be as long as an upload."""

    def __post_init__(self) -> None:
        form = {"image": IMAGE_FILE, **EDIT_FIELDS, "operations": OPERATIONS_FIELD}
        form["webhook_url"] = WEBHOOK_FIELD
        self.request_body = _body(form, ImagePatch, required=["image", "prompt"])


@dataclass
class PutOperation(Operation):
    """`PUT /api/images/{image_id}` does likewise."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(required=True, content=_json(ImagePut))


def openapi_config(version: str) -> OpenAPIConfig:
    """The description at /schema/openapi.json and the page at /schema."""
    return OpenAPIConfig(
        title="Darkroom",
        version=version,
        description="Uploads, pipelines of operations run by workers, results that delete themselves.",
        path="/schema",
        tags=[
            *(
                Tag(name=name)
                for name in ("Accounts", "Images", "Jobs", "Batches", "Webhooks", "Links", "Health")
            ),
            Tag(name="Compatibility", description="What clients of older services know, for them alone."),
        ],
        components=Components(
            security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
        ),
        render_plugins=[
            SwaggerRenderPlugin(
                path="/",
                js_url=f"{ASSETS}/swagger-ui-bundle.js",
                css_url=f"{ASSETS}/swagger-ui.css",
                standalone_preset_js_url=f"{ASSETS}/swagger-ui-bundle.js",
                favicon="",
            ),
            JsonRenderPlugin(),
            YamlRenderPlugin(),
        ],
    )


def page_assets() -> Router:
    """Swagger UI's own files, as the package `fastapi-offline` ships them."""
    return create_static_files_router(
        path=ASSETS,
        directories=[_shipped_files("fastapi_offline") / "static"],
        include_in_schema=False,
        name="schema-assets",
    )


def _shipped_files(package: str) -> Path:
    """Where a package lies; importing it would load its web framework too."""
    found = find_spec(package)
    assert found is not None  # noqa: S101 - it is installed with us
    assert found.origin is not None  # noqa: S101 - as a folder
    return Path(found.origin).parent


@get("/asyncapi.json", include_in_schema=False, sync_to_thread=False)
def asyncapi_document() -> Response[bytes]:
    """What programs publish to RabbitMQ themselves, as AsyncAPI."""
    return Response(asyncapi.text().encode(), media_type="application/json")
