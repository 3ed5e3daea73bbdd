"""Object stores: files by key, on a file system or on an S3 server."""

from libs.storage.objects.errors import (
    BadKey,
    DigestMismatch,
    ObjectNotFound,
    ObjectsNotDeleted,
    StorageError,
    StoreFull,
    StoreUnavailable,
)
from libs.storage.objects.key_rules import check_key
from libs.storage.objects.open import open_objects
from libs.storage.objects.port import CHUNK_BYTES, Digest, ObjectStore, Stored

__all__ = [
    "CHUNK_BYTES",
    "BadKey",
    "Digest",
    "DigestMismatch",
    "ObjectNotFound",
    "ObjectStore",
    "ObjectsNotDeleted",
    "StorageError",
    "StoreFull",
    "StoreUnavailable",
    "Stored",
    "check_key",
    "open_objects",
]
