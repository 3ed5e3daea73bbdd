"""Errors of the database, the same for both engines, and their translation from the drivers' exceptions."""

import errno
import sqlite3
from socket import gaierror
from typing import ClassVar

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
from asyncpg.exceptions._base import DataError as UnencodableArgument  # pyright: ignore

from libs.contracts.outcome import Outcome
from libs.runtime import metrics
from libs.runtime.disk import StorageFull

_UNAVAILABLE = (
    ConnectionError,
    TimeoutError,
    gaierror,
    sqlite3.OperationalError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server is starting or shutting down
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # a deadlock: the same transaction can succeed when repeated
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a statement on a connection that the server has just ended
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # the server has become a standby
)
_NETWORK_ERRNOS = frozenset(
    {
        None,  # asyncio's "Multiple exceptions": no address of the server accepts
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EADDRNOTAVAIL,
        errno.ENOENT,  # the server's Unix socket
    }
)
_INVALID = (
    UnencodableArgument,
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,  # too long for an index
    sqlite3.DataError,
    OverflowError,
    UnicodeEncodeError,  # an unpaired surrogate
)
_UNIQUE_CODES = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


class DatabaseUnavailable(Exception):
    """The database does not answer. The same request can succeed later.

    If a COMMIT raises this, the transaction may have been committed.
    """

    code = "database_unavailable"
    outcome: ClassVar[Outcome] = "transient"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        metrics.BACKEND_ERRORS.add("database")


class DatabaseFull(DatabaseUnavailable):
    """The database has no space left to store a row."""

    code = StorageFull.code


class UniqueViolation(Exception):
    """A statement would store a second row with values that must be unique."""


class ForeignKeyViolation(Exception):
    """A statement would store a row that refers to one that does not exist, or no longer."""


class InvalidValue(Exception):
    """A text or number cannot be stored, such as a text with a NUL character or a number of 30 digits."""

    code = "invalid_value"
    outcome: ClassVar[Outcome] = "refused"


class _DriverErrors:
    """A context manager that translates what a database driver raises; other exceptions pass through.

    It surrounds every query, so it is a class: a generator costs ten times as much.

    Raises:
        DatabaseUnavailable: The database does not answer.
        DatabaseFull: Its disk is full.
        UniqueViolation: A unique value exists already.
        ForeignKeyViolation: A row that another refers to is missing.
        InvalidValue: The database has no such value.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: object) -> None:
        if error is None:
            return
        if isinstance(error, _INVALID) or _has_code(error, sqlite3.SQLITE_MISMATCH):
            raise InvalidValue("a text or number of the request cannot be stored") from error
        if isinstance(error, asyncpg.DiskFullError) or _is_full_sqlite(error):
            raise DatabaseFull("the database's disk is full") from error
        if isinstance(error, _UNAVAILABLE) or _is_network_error(error):
            raise DatabaseUnavailable(str(error) or type(error).__name__) from error
        if isinstance(error, asyncpg.UniqueViolationError) or _has_code(error, *_UNIQUE_CODES):
            raise UniqueViolation(str(error)) from error
        missing = sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
        if isinstance(error, asyncpg.ForeignKeyViolationError) or _has_code(error, missing):
            raise ForeignKeyViolation(str(error)) from error


def _has_code(error: BaseException | None, *codes: int) -> bool:
    return isinstance(error, sqlite3.IntegrityError) and error.sqlite_errorcode in codes


def _is_network_error(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in _NETWORK_ERRNOS


def _is_full_sqlite(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_FULL


driver_errors = _DriverErrors()
