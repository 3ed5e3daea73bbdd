"""Errors of images by URL, as problem+json that no cache keeps for long."""

from http import HTTPStatus
from typing import ClassVar

import msgspec

from apps.delivery.response import ERROR_S, SHARED, Headers, encoded
from apps.http.byte_ranges import BadRange
from apps.http.problem_json import PROBLEM_JSON, problem, server_problem
from apps.http.statuses import STATUS
from libs.contracts.outcome import Outcome
from libs.contracts.views.problems import Problem

RETRY_AFTER_S = {429: 1, 503: 5}


class MethodNotAllowed(Exception):
    """Images by URL are read only: GET and HEAD."""

    code = "method_not_allowed"
    outcome: ClassVar[Outcome] = "refused"


def error_answer(error: Exception, base_url: str) -> tuple[int, Headers, bytes]:
    """Return status, headers and body of the answer to an error. An unexpected one is logged, not sent."""
    content = _problem(error)
    content = msgspec.structs.replace(content, type=base_url.rstrip("/") + content.type)
    body = msgspec.json.encode(content)
    status = content.status
    headers = {
        "Content-Type": PROBLEM_JSON,
        "Content-Length": str(len(body)),
        "Cache-Control": f"public, max-age={ERROR_S}" if status < 500 and status != 429 else "no-store",
        "Vary": "Accept",
        **SHARED,
    }
    if status in RETRY_AFTER_S:
        headers["Retry-After"] = str(RETRY_AFTER_S[status])
    if isinstance(error, BadRange):
        headers["Content-Range"] = f"bytes */{error.size}"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = "GET, HEAD, OPTIONS"
    return status, encoded(headers), body


def _problem(error: Exception) -> Problem:
    if isinstance(error, MethodNotAllowed):
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, error.code, "only GET and HEAD").content
    status = next((STATUS[base] for base in type(error).__mro__ if base in STATUS), 500)
    of_server = server_problem(error, status)
    if of_server is not None:
        return of_server.content
    return problem(status, getattr(error, "code", "internal_error"), str(error)).content
