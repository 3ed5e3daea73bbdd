"""The problem responses of each operation, added to the API's description from the table of errors."""

from collections import defaultdict
from http import HTTPStatus

import msgspec
from litestar.openapi.spec import (
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    PathItem,
    Reference,
    RequestBody,
    Schema,
)

from apps.api.problems import PROBLEM_JSON, all_codes
from libs.contracts.views.images import EditRequest, ImageFromUrl, ImagePatch, ImagePut
from libs.contracts.views.problems import CsvError, FieldError, Problem
from libs.contracts.views.search import SearchRequest

SCHEMA_PREFIX = "#/components/schemas/"
# The bodies of `openapi.request_bodies` and of errors, which Litestar does not see.
SCHEMAS_TO_ADD = (
    Problem,
    FieldError,
    CsvError,
    EditRequest,
    ImageFromUrl,
    ImagePatch,
    ImagePut,
    SearchRequest,
)
METHODS = ("get", "head", "post", "put", "patch", "delete")

ANYWHERE = {400, 429, 500, 503, 507}
WITH_BODY = {408, 409, 413, 415, 422}
OF_ONE = {404, 409}  # the path names one image, job or link
OF_RANGES = {416}
OF_MODELS = {502, 504}  # the body may have a prompt


def document_problems(document: OpenAPI) -> None:
    """Add to every operation its problem responses, each with the codes it may carry."""
    _, schemas = msgspec.json.schema_components(SCHEMAS_TO_ADD, ref_template=SCHEMA_PREFIX + "{name}")
    document.components.schemas.update(schemas)  # pyright: ignore[reportArgumentType] - plain JSON is rendered as it is
    responses = _responses()
    for path, item in (document.paths or {}).items():
        for operation in _operations(item):
            for status in sorted(_statuses(path, operation)):
                operation.responses = {**(operation.responses or {}), str(status): responses[status]}


def _operations(item: PathItem) -> list[Operation]:
    operations = (getattr(item, method) for method in METHODS)
    return [operation for operation in operations if operation is not None]


def _statuses(path: str, operation: Operation) -> set[int]:
    statuses = set(ANYWHERE)
    if operation.security or path.startswith(("/accounts", "/d/")):
        statuses.add(401)
    if operation.request_body is not None:
        statuses |= WITH_BODY
        statuses |= OF_MODELS if _takes_prompt(operation.request_body) else set()
    if "{" in path:
        statuses |= OF_ONE
    if path.endswith("/download") or path.startswith("/d/"):
        statuses |= OF_RANGES
    return statuses


def _takes_prompt(body: RequestBody | Reference) -> bool:
    form = body.content.get("multipart/form-data") if isinstance(body, RequestBody) else None
    return form is not None and isinstance(form.schema, Schema) and "prompt" in (form.schema.properties or {})


def _responses() -> dict[int, OpenAPIResponse]:
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for code, status in sorted(all_codes().items()):
        codes[status].append(f"`{code}`")
    content = {PROBLEM_JSON: OpenAPIMediaType(schema=Reference(ref=f"{SCHEMA_PREFIX}Problem"))}
    return {
        status: OpenAPIResponse(
            description=f"{HTTPStatus(status).phrase}; code {', '.join(named)}", content=dict(content)
        )
        for status, named in codes.items()
    }
