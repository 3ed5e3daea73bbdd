"""Answers to errors, as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from litestar import Response
from structlog.contextvars import get_contextvars

from libs.contracts.views.problems import CsvError, FieldError, Problem
from libs.runtime.disk import StorageFull, is_no_space
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.objects import StoreUnavailable

log = structlog.get_logger(__name__)

PROBLEM_JSON = "application/problem+json"
PAGES = "/errors"  # where the codes are explained
UNAVAILABLE_S = 5  # `Retry-After` while a backend is away


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: tuple[FieldError, ...] = (),
    faults: tuple[CsvError, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response[Problem]:
    """Build a problem+json response; its type is an address of this server, without the host."""
    content = Problem(
        type=f"{PAGES}/{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        errors=errors,
        faults=faults,
        request_id=get_contextvars().get("request_id"),
    )
    return Response(content, status_code=status, media_type=PROBLEM_JSON, headers=dict(headers or {}))


def server_problem(error: Exception, status: int) -> Response[Problem] | None:
    """Log an error that is the server's, and answer it without its text; None for any other error."""
    later = {"Retry-After": str(UNAVAILABLE_S)}
    if status == HTTPStatus.INSUFFICIENT_STORAGE or is_no_space(error):
        code = getattr(error, "code", "") if status == HTTPStatus.INSUFFICIENT_STORAGE else StorageFull.code
        log.error("storage_full", error=str(error))
        return problem(HTTPStatus.INSUFFICIENT_STORAGE, code, "the server has no space left")
    if isinstance(error, DatabaseUnavailable):
        log.warning("database_unavailable", error=str(error))
        return problem(status, error.code, "the database does not answer", headers=later)
    if isinstance(error, OSError):
        log.error("request_failed", exc_info=error)
        return problem(503, StoreUnavailable.code, "the server cannot use its files", headers=later)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request_failed", exc_info=error)
        return problem(status, "internal_error", "unexpected error")
    return None
