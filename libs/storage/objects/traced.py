"""An object store whose calls are spans; it stands before the real one while traces are on."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from libs.runtime import tracing
from libs.storage.objects.port import Digest, ObjectStore, SignedPut, Stored


class TracedObjects:
    """An `ObjectStore` that passes every call on. Spans have no keys: these have names of users and files."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.serves_clients = objects.serves_clients

    async def put(
        self,
        key: str,
        path: Path,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        expected: Digest | None = None,
    ) -> None:
        with _span("put") as span:
            size_bytes = expected.size_bytes if expected else 0
            span.note({"darkroom.object.type": content_type, "darkroom.object.size": size_bytes})
            await self._objects.put(
                key, path, content_type=content_type, metadata=metadata, expected=expected
            )

    @asynccontextmanager
    async def as_file(self, key: str) -> AsyncGenerator[Path]:
        async with AsyncExitStack() as stack:
            with _span("get"):  # not the time that the file is used
                path = await stack.enter_async_context(self._objects.as_file(key))
            yield path

    @asynccontextmanager
    async def read(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        async with AsyncExitStack() as stack:
            with _span("read"):
                reading = self._objects.read(key, start=start, length=length)
                chunks = await stack.enter_async_context(reading)
            yield chunks

    async def delete(self, keys: Sequence[str]) -> None:
        with _span("delete") as span:
            span.note({"darkroom.object.count": len(keys)})
            await self._objects.delete(keys)

    def scan(self, prefix: str) -> AsyncIterator[Stored]:
        return self._objects.scan(prefix)

    async def link(self, key: str, *, expires_s: int, content_type: str, disposition: str) -> str | None:
        return await self._objects.link(
            key, expires_s=expires_s, content_type=content_type, disposition=disposition
        )

    async def signed_put(
        self, key: str, *, size_bytes: int, md5: str | None, content_type: str, expires_s: int
    ) -> SignedPut | None:
        return await self._objects.signed_put(
            key, size_bytes=size_bytes, md5=md5, content_type=content_type, expires_s=expires_s
        )

    async def free_bytes(self) -> int | None:
        return await self._objects.free_bytes()

    async def ping(self) -> None:
        with _span("ping"):
            await self._objects.ping()

    async def close(self) -> None:
        await self._objects.close()


def _span(call: str) -> AbstractContextManager[tracing.Span]:
    return tracing.inside(f"objects {call}", "client")
