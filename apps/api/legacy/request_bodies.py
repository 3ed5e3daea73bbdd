"""The descriptions of older clients' requests."""

from dataclasses import dataclass

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from apps.api.legacy.parameters import TYPES
from apps.api.openapi.request_bodies import (
    EDIT_FIELDS,
    IMAGE_FILE,
    OPERATIONS_FIELD,
    UPLOAD_FIELDS,
    form_content,
    json_content,
)
from libs.contracts.views.images import ImageFromUrl


def operation_id(handler: HTTPRouteHandler, method: Method, path: list[str | PathParameterDefinition]) -> str:
    """Name an operation after its path: handlers of several paths need several ids."""
    words = [part if isinstance(part, str) else part.name for part in path]
    return "".join(word.title().replace("_", "") for word in ("legacy", *words, handler.handler_name))


@dataclass
class LegacyUploadOperation(Operation):
    """The body of `POST /api/images/`."""

    def __post_init__(self) -> None:
        operations = Schema(
            type=OpenAPIType.STRING,
            content_media_type="application/json",
            description=f"{OPERATIONS_FIELD.description}. Or a list of pipeline steps, each with an "
            "`operation_type` and `parameters`",
        )
        fields = {**UPLOAD_FIELDS, "original_image": IMAGE_FILE, "operations": operations}
        content = {**form_content(fields), **json_content(ImageFromUrl)}
        self.request_body = RequestBody(required=True, content=content)


@dataclass
class LegacyEditOperation(Operation):
    """The body of `PATCH /images`."""

    def __post_init__(self) -> None:
        fields = {"image": IMAGE_FILE, **EDIT_FIELDS, "operations": OPERATIONS_FIELD}
        content = form_content(fields, required=["image", "prompt"])
        self.request_body = RequestBody(required=True, content=content)


@dataclass
class LegacyTransformOperation(Operation):
    """The body of `POST /images/{image_id}/transform`: JSON, or a form with the watermark's file."""

    def __post_init__(self) -> None:
        fields = {
            "transformation_type": Schema(type=OpenAPIType.STRING, enum=sorted(TYPES)),
            "transformation_parameters": Schema(
                description="The parameters of the type, or the parameters of several types by their names"
            ),
        }
        as_json = Schema(type=OpenAPIType.OBJECT, properties=dict(fields))
        content = {
            "application/json": OpenAPIMediaType(schema=as_json),
            **form_content({**fields, "image": IMAGE_FILE}),
        }
        self.request_body = RequestBody(required=True, content=content)
