"""The problem responses of an operation, from the table of errors."""

from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from apps.api.middleware.key_access import LoginRequired, ScopeMissing
from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Described
from apps.api.openapi.examples.values import BASE
from apps.api.problems import codes_of
from apps.http.problem_json import PAGES, PROBLEM_JSON

OF_STATUS: dict[int, tuple[str, ...]] = {
    400: ("Retry-After",),
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    405: ("Allow",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def problem_responses(
    path: str,
    method: str,
    operation: Mapping[str, Any],
    described: Described,
    headers: tuple[str, ...],
    *,
    refuses_parameters: bool,
) -> dict[str, Any]:
    """Return the problem responses of an operation by status, with the codes that each may carry."""
    found = _errors(path, operation, described)
    if refuses_parameters:
        found += errors.UNKNOWN_PARAMETER
    by_status: defaultdict[int, set[str]] = defaultdict(set)
    for code, status in codes_of(*found).items():
        by_status[status].add(code)
    return {
        str(status): _response(status, sorted(codes), headers, has_body=method != "head")
        for status, codes in sorted(by_status.items())
    }


def _errors(path: str, operation: Mapping[str, Any], described: Described) -> errors.Errors:
    if path.startswith("/health/"):
        return ("internal_error",)
    found = errors.ALWAYS + described.errors
    if security := operation.get("security"):
        by_key = any("api_key" in scheme for scheme in security)
        found += errors.TOKEN + errors.API_KEY + errors.UPLOAD_TOKEN
        found += (ScopeMissing,) if by_key else (LoginRequired,)
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        found += errors.QUERY
    if described.form or described.json or described.file:
        found += errors.BODY + errors.CHANGES
    if "Idempotency-Key" in described.sends:
        found += errors.KEY + errors.CHANGES
    if "_id}" in path:
        found += errors.ID_IN_PATH
    return found


def _response(status: int, codes: list[str], headers: tuple[str, ...], *, has_body: bool) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    named = (*OF_STATUS.get(status, ()), *headers)
    found: dict[str, Any] = {
        "description": f"{phrase}; code {', '.join(f'`{code}`' for code in codes)}",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in named},
    }
    if has_body:
        example = {
            "type": f"{BASE}{PAGES}/{codes[0]}",
            "title": phrase,
            "status": status,
            "detail": "...",
            "code": codes[0],
            "request_id": "f0f21a9aba854da1b5b40ab35fea918b",
        }
        schema = {"$ref": "#/components/schemas/Problem"}
        found["content"] = {PROBLEM_JSON: {"schema": schema, "example": example}}
    return found
