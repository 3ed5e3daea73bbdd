"""The errors of the API: one table from class to status, and one shape for all."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.enums import ParamType
from litestar.exceptions import HTTPException, ValidationException
from msgspec.structs import replace

from apps.api.middleware.key_access import LoginRequired, ScopeMissing
from apps.api.middleware.operator_access import (
    CheckUnderWay,
    OperatorRequired,
    OwnAccount,
    SuperuserRequired,
)
from apps.api.middleware.query_parameters import parameter_faults
from apps.api.middleware.upload_token_access import UploadTokenNotAllowed
from apps.api.responses.event_streams import TooManyStreams
from apps.api.uploads.errors import (
    BadUpload,
    MissingImage,
    UnsupportedMediaType,
    UploadTooLarge,
    field_errors,
)
from apps.http import statuses
from apps.http.byte_ranges import BadRange
from apps.http.problem_json import UNAVAILABLE_S, problem, server_problem
from libs.batches.csv_file import BadCsv
from libs.contracts.decode_errors import explained
from libs.contracts.outcome import Outcome
from libs.contracts.views.problems import FieldError, Problem
from libs.delivery.errors import StepsInvalid
from libs.runtime.threads import ServerBusy
from libs.storage import jobs
from libs.storage.edit_calls import DailyEditsUsed
from libs.storage.image_errors import ImageNotReady
from libs.storage.objects import StoreUnavailable

log = structlog.get_logger(__name__)


class NotAuthenticated(Exception):
    """The request has no API key and no valid access token. Send a key, or log in, or refresh the token."""

    code = "not_authenticated"
    outcome: ClassVar[Outcome] = "refused"


class JobFailed(Exception):
    """The job that the request waited for failed; `code` is the job's error code."""

    outcome: ClassVar[Outcome] = "permanent"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


STATUS: dict[type[Exception], int] = {
    **statuses.STATUS,
    UploadTooLarge: 413,
    UnsupportedMediaType: 415,
    BadUpload: 400,
    MissingImage: 400,
    TooManyStreams: 429,
    NotAuthenticated: 401,
    LoginRequired: 403,
    ScopeMissing: 403,
    UploadTokenNotAllowed: 403,
    OperatorRequired: 403,
    SuperuserRequired: 403,
    OwnAccount: 409,
    CheckUnderWay: 409,
}
"""The errors of the libraries, and those of the API's own requests."""

HTTP_CODES: dict[int, str] = {
    400: "invalid_request",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "upload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}
OTHER_CODES: dict[str, int] = {
    "internal_error": 500,
    "attempts_exhausted": 500,
    "job_cancelled": 409,
}
RETRY_AFTER_S = {503: UNAVAILABLE_S}  # by status; 1 for others


def all_codes() -> dict[str, int]:
    """Return every `code` that an answer may carry, with its status."""
    without_class = dict(OTHER_CODES) | {code: status for status, code in HTTP_CODES.items()}
    return without_class | codes_of(*STATUS)


def codes_of(*errors: type[Exception] | str) -> dict[str, int]:
    """Return the codes of errors with their statuses; a class stands for its subclasses too."""
    without_class = dict(OTHER_CODES) | {code: status for status, code in HTTP_CODES.items()}
    found: dict[str, int] = {}
    for error in errors:
        if isinstance(error, str):
            found[error] = without_class[error]
            continue
        for kind in (error, *_all_subclasses(error)):
            found[kind.code] = status_of(kind)  # pyright: ignore[reportAttributeAccessIssue] - of the table
    return found


def to_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Answer any exception. An unexpected one is logged, and its text is not sent."""
    answer = _answer(request, error)
    base_url = request.app.state.get("public_url") or str(request.base_url)
    answer.content = replace(answer.content, type=base_url.rstrip("/") + answer.content.type)
    return answer


def _answer(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    if isinstance(error, HTTPException):
        return _of_http_error(_explained_body(request, _explained_query(request, error)))
    if isinstance(error, JobFailed):
        return problem(all_codes().get(error.code, 422), error.code, str(error))
    status = status_of(type(error))
    of_server = server_problem(error, status)
    if of_server is not None:
        return of_server
    code = getattr(error, "code", "")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        log.warning("backend_unavailable", code=code, error=str(error), cause=repr(error.__cause__))
    return problem(
        status,
        code,
        str(error),
        errors=tuple(map(_field_error, _fields_of(error))),
        faults=error.faults if isinstance(error, BadCsv) else (),
        headers=_extra_headers(status, error),
    )


def _fields_of(error: Exception) -> Sequence[Mapping[str, str]]:
    """Return the faults of single fields of the request, with their keys."""
    if isinstance(error, StepsInvalid):
        return [{"message": str(error), "key": "steps"}]
    return error.fields if isinstance(error, BadUpload) else ()


def _of_http_error(error: HTTPException) -> Response[Problem]:
    code = HTTP_CODES.get(error.status_code, "http_error" if error.status_code < 500 else "internal_error")
    extra = cast("list[dict[str, str]]", error.extra) if isinstance(error.extra, list) else []
    errors = tuple(_field_error(found) for found in extra)
    detail = "; ".join(f"{field.key}: {field.message}" if field.key else field.message for field in errors)
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = "this address does not exist"
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        headers |= _retry_after(headers.get("RateLimit-Reset", "1"))
    return problem(error.status_code, code, detail or error.detail, errors=errors, headers=headers)


def _explained_query(request: Request[Any, Any, Any], error: HTTPException) -> HTTPException:
    """Return Litestar's error about query parameters in the words of `decode_errors`."""
    if not isinstance(error, ValidationException) or not isinstance(error.extra, list):
        return error
    found = cast("list[dict[str, str]]", error.extra)
    if not any(one.get("source") == ParamType.QUERY for one in found):
        return error
    others = [one for one in found if one.get("source") != ParamType.QUERY]
    return ValidationException(extra=[*parameter_faults(request), *others])


def _explained_body(request: Request[Any, Any, Any], error: HTTPException) -> HTTPException:
    """Return Litestar's error about a JSON body in the words of `decode_errors`."""
    cause = error.__cause__
    if (
        not isinstance(cause, msgspec.ValidationError)
        or "json" not in request.state
        or len(error.extra or ()) != 1
    ):
        return error
    body = request.route_handler.parsed_fn_signature.parameters.get("data")
    if body is None or "`$.data" not in str(cause):
        return error
    at_root = msgspec.ValidationError(str(cause).replace("`$.data", "`$", 1))
    return ValidationException(extra=field_errors(explained(at_root, request.state.json, body.annotation)))


def _field_error(found: Mapping[str, str]) -> FieldError:
    """Translate an error of Litestar: it calls the body `data`; a missing field's message is its name."""
    key, message = found.get("key"), found.get("message", "")
    if message == repr(key):
        message = "is missing"
    return FieldError(message, "body" if key == "data" else key)


def status_of(kind: type[Exception]) -> int:
    """Return the status of the answer to an error of this class."""
    return next((STATUS[base] for base in kind.__mro__ if base in STATUS), 500)


def _all_subclasses(kind: type[Exception]) -> list[type[Exception]]:
    direct = kind.__subclasses__()
    return direct + [derived for subclass in direct for derived in _all_subclasses(subclass)]


def _extra_headers(status: int, error: Exception) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, ScopeMissing):
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}
    if isinstance(error, BadRange):
        return {"Content-Range": f"bytes */{error.size}"}
    if isinstance(error, DailyEditsUsed):
        return _retry_after(error.retry_after_s)
    if isinstance(error, ImageNotReady | StoreUnavailable | ServerBusy | TooManyStreams | jobs.TooManyJobs):
        return _retry_after(RETRY_AFTER_S.get(status, 1))
    return {}


def _retry_after(seconds: int | str) -> dict[str, str]:
    return {"Retry-After": str(seconds)}
