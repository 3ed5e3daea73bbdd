"""The problems that each call may answer with, added to the API's description from the table of errors."""

from collections import defaultdict
from http import HTTPStatus

import msgspec
from litestar.openapi.spec import OpenAPI, OpenAPIMediaType, OpenAPIResponse, Operation, PathItem, Reference

from apps.api.problems import PROBLEM_JSON, all_codes
from libs.contracts.views.images import EditRequest, ImageFromUrl, ImagePatch, ImagePut
from libs.contracts.views.problems import CsvError, FieldError, Problem
from libs.contracts.views.search import SearchRequest

SCHEMAS = "#/components/schemas/"
# Litestar sees none of them.
READ_BY_US = (Problem, FieldError, CsvError, EditRequest, ImageFromUrl, ImagePatch, ImagePut, SearchRequest)
METHODS = ("get", "head", "post", "put", "patch", "delete")

ANYWHERE = {400, 429, 500, 503}
WITH_BODY = {409, 413, 415, 422}
OF_ONE = {404, 409}  # where the address names one image, job or link
OF_RANGES = {416}
OF_MODELS = {502, 504}
EDITS = {"/api/images", "/api/images/create", "/api/images/{image_id}", "/api/images/{image_id}/edit"}


def document_problems(described: OpenAPI) -> None:
    """Give every operation its problem answers, each with the codes it may carry."""
    _, schemas = msgspec.json.schema_components(READ_BY_US, ref_template=SCHEMAS + "{name}")
    described.components.schemas.update(schemas)  # pyright: ignore[reportArgumentType] - plain JSON serves
    answers = _answers()
    for path, item in (described.paths or {}).items():
        for operation in _operations(item):
            for status in sorted(_statuses(path, operation)):
                operation.responses = {**(operation.responses or {}), str(status): answers[status]}


def _operations(item: PathItem) -> list[Operation]:
    return [found for found in (getattr(item, method) for method in METHODS) if found is not None]


def _statuses(path: str, operation: Operation) -> set[int]:
    statuses = set(ANYWHERE)
    if operation.security or path.startswith(("/accounts", "/d/")):
        statuses.add(401)
    if operation.request_body is not None:
        statuses |= WITH_BODY
        statuses |= OF_MODELS if path in EDITS else set()
    if "{" in path:
        statuses |= OF_ONE
    if path.endswith("/download") or path.startswith("/d/"):
        statuses |= OF_RANGES
    return statuses


def _answers() -> dict[int, OpenAPIResponse]:
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for code, status in sorted(all_codes().items()):
        codes[status].append(f"`{code}`")
    content = {PROBLEM_JSON: OpenAPIMediaType(schema=Reference(ref=f"{SCHEMAS}Problem"))}
    return {
        status: OpenAPIResponse(
            description=f"{HTTPStatus(status).phrase}; code {', '.join(named)}", content=dict(content)
        )
        for status, named in codes.items()
    }
