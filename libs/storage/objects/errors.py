"""What can go wrong with stored objects."""


class StorageError(Exception):
    """The store refused, and asking again will not help."""

    code = "storage_error"


class ObjectNotFound(StorageError):
    """No object has this key."""

    code = "object_not_found"

    def __init__(self, key: str) -> None:
        super().__init__(f"no object has the key {key!r}")


class StoreUnavailable(StorageError):
    """The store cannot be reached or cannot serve now; the same call may succeed later."""

    code = "storage_unavailable"


class StoreFaltered(StoreUnavailable):
    """The store was reached and failed at this one call."""


class BadKey(StorageError):
    """The key is not one that every store can hold."""

    code = "bad_key"

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key!r} is no object key: {reason}")
