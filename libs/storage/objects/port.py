"""The interface of an object store."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

CHUNK_BYTES = 512 * 1024


class Stored(Struct, frozen=True, kw_only=True):
    """An object as the store lists it."""

    key: str
    size_bytes: int
    modified_at: datetime  # UTC


class ObjectStore(Protocol):
    """Files by key. A key is slash-separated segments of plain text; any other raises `BadKey`.

    All calls raise `StoreUnavailable` when the store cannot serve now.
    """

    async def put(self, key: str, path: Path, *, content_type: str, metadata: Mapping[str, str]) -> None:
        """Store the file at `path` under `key`, replacing what is there; the file is consumed.

        Others see the old object or the whole new one. After an error the file may still be there.
        """
        ...

    def as_file(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Open the object as a local file, for reading only.

        It is the store's own file, or a copy that is removed on exit.

        Raises:
            ObjectNotFound: On entering.
        """
        ...

    def read(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read `length` bytes from `start` on, or all, in chunks of at most `CHUNK_BYTES`.

        A range that reaches past the end is cut there.

        Raises:
            ObjectNotFound: On entering, so before the first byte.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects; a key without an object is ignored."""
        ...

    def scan(self, prefix: str) -> AsyncIterator[Stored]:
        """Yield all objects whose key starts with `prefix`, in no particular order."""
        ...

    async def link(self, key: str, *, expires_s: int, content_type: str, disposition: str) -> str | None:
        """Return a presigned URL that is valid for `expires_s` seconds, at most seven days.

        Whether the object exists is not checked. None when the store has no server of its own.
        """
        ...

    async def ping(self) -> None:
        """Check that the store answers."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
