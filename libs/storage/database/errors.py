"""Errors of the database, the same for both engines, and their translation from the drivers' exceptions."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
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


@contextmanager
def driver_errors() -> Generator[None]:
    """Translate what a database driver raises inside the block; other exceptions pass through.

    Raises:
        DatabaseUnavailable: The database cannot be used now.
        UniqueViolation: A unique value exists already.
    """
    try:
        yield
    except _UNAVAILABLE as error:
        raise DatabaseUnavailable(str(error) or type(error).__name__) from error
    except asyncpg.UniqueViolationError as error:
        raise UniqueViolation(str(error)) from error
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode not in _UNIQUE_CODES:
            raise
        raise UniqueViolation(str(error)) from error
