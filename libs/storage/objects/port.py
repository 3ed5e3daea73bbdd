"""The interface of an object store."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

CHUNK_BYTES = 512 * 1024


class Stored(Struct, frozen=True, kw_only=True):
    """An object, as `ObjectStore.scan` returns it."""

    key: str
    size_bytes: int
    modified_at: datetime  # UTC


class Digest(Struct, frozen=True):
    """What identifies the content of a file."""

    size_bytes: int
    md5: str  # hexadecimal


class SignedPut(Struct, frozen=True, kw_only=True):
    """A URL that stores one object."""

    url: str
    headers: Mapping[str, str]  # that the request must have, besides its length


class ObjectStore(Protocol):
    """Files by key. `key_rules` defines which keys are valid.

    All methods raise `BadKey` for an invalid key, and `StoreUnavailable` when the store fails or is away.
    """

    serves_clients: bool
    """Whether clients reach the server of the store, so that a link can stand for a download."""

    async def put(
        self,
        key: str,
        path: Path,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        expected: Digest | None = None,
    ) -> None:
        """Store the file at `path` under `key` and remove the file; an existing object is replaced.

        Readers see the old object or the complete new one. After an error the file can still exist.

        Raises:
            DigestMismatch: The file, or what the store says it has, is not `expected`.
            StoreFull: The store has no space left.
        """
        ...

    def as_file(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Provide the object as a local file for reading.

        It is a copy or a second name of the store's own file, so it must not be changed. It is removed on
        exit, and stays until then if the object is deleted or replaced.

        Raises:
            ObjectNotFound: On entering.
        """
        ...

    def read(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Stream `length` bytes from `start`, or all of them, in chunks of at most `CHUNK_BYTES`.

        A range beyond the end of the object is cut there. The reader may be slow: it holds up no other call.

        Raises:
            ObjectNotFound: On entering, so before the first byte.
            ServerBusy: On entering; too many readers are in the way.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects; keys without an object are ignored.

        Raises:
            ObjectsNotDeleted: The store keeps some of them and says why; all others are gone.
        """
        ...

    def scan(self, prefix: str) -> AsyncIterator[Stored]:
        """Yield all objects whose key begins with `prefix`, in no particular order."""
        ...

    async def link(self, key: str, *, expires_s: int, content_type: str, disposition: str) -> str | None:
        """Return a URL at which anyone can download the object for `expires_s` seconds, at most seven days.

        The object does not have to exist. Return None if the store has no server of its own.
        """
        ...

    async def signed_put(
        self, key: str, *, size_bytes: int, md5: str | None, content_type: str, expires_s: int
    ) -> SignedPut | None:
        """Return a URL at which anyone can store exactly this file, if they begin within `expires_s` seconds.

        Return None if clients do not reach the store.
        """
        ...

    async def free_bytes(self) -> int | None:
        """Return how many bytes can still be stored; None if the store does not say."""
        ...

    async def ping(self) -> None:
        """Raise `StoreUnavailable` unless the store works."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
