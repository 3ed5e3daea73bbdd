"""Errors of the database, the same for both engines, and their translation from the drivers' exceptions."""

import sqlite3
from typing import ClassVar, Literal

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

_UNAVAILABLE = (
    OSError,
    sqlite3.OperationalError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server is starting or shutting down
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # a deadlock: the same transaction can succeed when repeated
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a statement on a connection that the server has just ended
)
_UNIQUE_CODES = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


class DatabaseUnavailable(Exception):
    """The database does not answer. The same request can succeed later.

    If a COMMIT raises this, the transaction may have been committed.
    """

    code = "database_unavailable"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "transient"


class UniqueViolation(Exception):
    """A statement would store a second row with values that must be unique."""


class _DriverErrors:
    """A context manager that translates what a database driver raises; other exceptions pass through.

    It surrounds every query, so it is a class: a generator costs ten times as much.

    Raises:
        DatabaseUnavailable: The database does not answer.
        UniqueViolation: A unique value exists already.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: object) -> None:
        if isinstance(error, _UNAVAILABLE):
            raise DatabaseUnavailable(str(error) or type(error).__name__) from error
        if isinstance(error, asyncpg.UniqueViolationError) or (
            isinstance(error, sqlite3.IntegrityError) and error.sqlite_errorcode in _UNIQUE_CODES
        ):
            raise UniqueViolation(str(error)) from error


driver_errors = _DriverErrors()
