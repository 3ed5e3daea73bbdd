"""The API's description, and a page for it that needs nothing from outside."""

from dataclasses import dataclass
from pathlib import Path

import fastapi_offline
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

from libs.contracts import asyncapi
from libs.contracts.views import ImageFromUrl, ImagePatch, ImagePut, SearchRequest

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


def _body(form: dict[str, Schema], json: type[Struct]) -> RequestBody:
    """What a call that reads its own body takes: a form with a file, or JSON."""
    fields = {"image": IMAGE_FILE, **form}
    as_form = Schema(type=OpenAPIType.OBJECT, required=["image"], properties=dict(fields))
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
        self.request_body = _body(
            {
                "operations": Schema(
                    type=OpenAPIType.STRING,
                    content_media_type="application/json",
                    description=OPERATIONS,
                ),
                "retention": Schema(
                    type=OpenAPIType.STRING,
                    enum=["keep", "ephemeral"],
                    description="keep without operations, else ephemeral",
                ),
                "on_duplicate": Schema(
                    type=OpenAPIType.STRING,
                    enum=["store", "return"],
                    description="return: a kept image with the same bytes serves instead",
                ),
                "webhook_url": Schema(type=OpenAPIType.STRING, description="Told how the job ended"),
            },
            ImageFromUrl,
        )


@dataclass
class SearchOperation(Operation):
    """`POST /api/images/search` reads its own body too."""

    def __post_init__(self) -> None:
        self.request_body = _body(
            {
                "max_distance": Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=64, default=10),
                "limit": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=100, default=20),
            },
            SearchRequest,
        )


@dataclass
class PatchOperation(Operation):
    """`PATCH /api/images/{image_id}` reads its own body: its `image_url` may be as long as an upload."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(required=True, content=_json(ImagePatch))


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
        tags=[Tag(name=name) for name in ("Accounts", "Images", "Jobs", "Webhooks", "Links", "Health")],
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
        directories=[Path(fastapi_offline.__file__).parent / "static"],
        include_in_schema=False,
        name="schema-assets",
    )


@get("/asyncapi.json", include_in_schema=False, sync_to_thread=False)
def asyncapi_document() -> Response[bytes]:
    """What programs publish to RabbitMQ themselves, as AsyncAPI."""
    return Response(asyncapi.text().encode(), media_type="application/json")
