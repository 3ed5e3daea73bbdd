"""Errors as RFC 9457 problem details."""

from msgspec import Struct


class CsvError(Struct, frozen=True):
    """One error in a CSV file. `line` counts from 1; `column` is the header's name for it."""

    line: int
    column: str | None
    reason: str


class FieldError(Struct, frozen=True):
    """One error in a request. `key` names the field."""

    message: str
    key: str | None = None


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as RFC 9457 problem details. `code` is stable; the texts may change."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldError, ...] = ()
    faults: tuple[CsvError, ...] = ()
    request_id: str | None = None
