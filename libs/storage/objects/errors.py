"""Errors of the object store, the same for all kinds of store."""

from collections.abc import Mapping
from typing import ClassVar

from libs.contracts.outcome import Outcome
from libs.runtime import metrics
from libs.runtime.disk import StorageFull


class StorageError(Exception):
    """The store refused the request; the same request will not succeed later."""

    code = "storage_error"
    outcome: ClassVar[Outcome] = "permanent"


class ObjectNotFound(StorageError):
    """No object has this key."""

    code = "object_not_found"

    def __init__(self, key: str) -> None:
        super().__init__(f"no object has the key {key!r}")


class StoreUnavailable(StorageError):
    """The object store cannot be reached or fails. The same request can succeed later."""

    code = "storage_unavailable"
    outcome = "transient"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        metrics.BACKEND_ERRORS.add("objects")


class StoreFaltered(StoreUnavailable):
    """The store answered this request with a server error (HTTP 5xx)."""


class StoreFull(StoreUnavailable):
    """The object store has no space left."""

    code = StorageFull.code

    def __init__(self) -> None:
        super().__init__("the object store is full")


class DigestMismatch(StoreUnavailable):
    """A file lost or changed bytes on its way into the store."""


class ObjectsNotDeleted(StorageError):
    """The store keeps an object that should be deleted, although it works.

    The image is hidden, and deleting its file is tried again until an operator has removed the cause.
    """

    code = "object_not_deleted"

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(f"{len(reasons)} objects could not be deleted: {next(iter(reasons.values()))}")
        self.reasons = reasons  # by key; all other objects of the call are gone


class BadKey(StorageError):
    """The key is not valid in every kind of store."""

    code = "bad_key"
    outcome = "refused"

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key!r} is not an object key: {reason}")
