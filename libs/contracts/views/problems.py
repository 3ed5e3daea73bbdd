"""Errors as RFC 9457 problem details."""

from msgspec import Struct


class CsvError(Struct, frozen=True):
    """One error in a CSV file. `line` counts from 1; `column` is the header's name for it."""

    line: int
    """The line of the file, from 1."""
    column: str | None
    """The header's name for the column; null for the whole line."""
    reason: str
    """What is wrong."""


class FieldError(Struct, frozen=True):
    """One error in a request. `key` names the field."""

    message: str
    """What is wrong, and what was probably meant."""
    key: str | None = None
    """Where it is wrong."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as RFC 9457 problem details. `code` is stable; the texts may change."""

    type: str
    """The address of a page that explains the code."""
    title: str
    """The status in words."""
    status: int
    """The status code of the answer."""
    detail: str
    """What is wrong, in words that may change."""
    code: str
    """What is wrong, as a code that stays."""
    errors: tuple[FieldError, ...] = ()
    """Errors of single fields."""
    faults: tuple[CsvError, ...] = ()
    """Errors in a CSV file."""
    request_id: str | None = None
    """The id that the log lines of the request have."""
