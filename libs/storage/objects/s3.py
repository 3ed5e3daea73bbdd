"""The object store on an S3 server."""

import asyncio
import os
import tempfile
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import quote

from aiohttp import ClientResponse, ClientTimeout
from miniopy_async.api import Minio
from miniopy_async.deleteobjects import DeleteObject
from miniopy_async.error import MinioException
from miniopy_async.helpers import ObjectWriteResult
from multidict import CIMultiDict

from libs.runtime import metrics
from libs.runtime.metrics.pools import forget_pool, watch_pool
from libs.runtime.threads import SCRATCH
from libs.storage.objects.digest import check_etag, check_size
from libs.storage.objects.errors import DigestMismatch, ObjectsNotDeleted, StoreFaltered, StoreUnavailable
from libs.storage.objects.key_rules import check_key, check_prefix
from libs.storage.objects.port import CHUNK_BYTES, Digest, SignedPut, Stored
from libs.storage.objects.s3_connections import Bucket, S3Connections
from libs.storage.objects.s3_downloads import Downloads, read_chunk
from libs.storage.objects.s3_errors import faults, status_and_code
from libs.storage.objects.s3_presign import presigned_put

T = TypeVar("T")
CONNECTIONS = 100  # for uploads and jobs
DOWNLOADS = 100  # connections for clients that download
HEALTH_CONNECTIONS = 2
POOL, DOWNLOAD_POOL, HEALTH_POOL = "s3", "s3.downloads", "s3.health"  # their names in metrics
POOL_S = 15.0  # for a free connection
CONNECT_S = 5.0
READ_S = 20.0  # between two pieces of a response
CALL_S = 20.0  # for a call that transfers no file
PUT_BYTES_PER_S = 250_000  # the least rate at which a file must reach the store, beside `CALL_S`
PUT_PAUSES_S = (0.1, 0.5)
SMALL_BYTES = 1024 * 1024  # smaller files are sent from memory
PART_BYTES = 5 * 1024 * 1024  # the smallest part that S3 accepts; a smaller file is sent in one request
MAX_LINK_S = 7 * 24 * 3600
ENCRYPTION = "x-amz-server-side-encryption"


class S3Objects:
    """An `ObjectStore` in an S3 bucket, which is created by the first call if it is missing.

    A put that fails with HTTP 5xx is repeated soon, as S3 recommends, so that clients do not have to repeat
    their uploads. Other requests are not repeated; their callers decide about retries.
    """

    def __init__(self, bucket: Bucket, scratch: Path) -> None:
        self._bucket = bucket
        self._scratch = scratch
        self._ready = False
        self._preparing = asyncio.Lock()
        timeout = ClientTimeout(total=None, connect=POOL_S, sock_connect=CONNECT_S, sock_read=READ_S)
        self._connections = S3Connections(POOL, bucket, limit=CONNECTIONS, timeout=timeout)
        self._download_connections = S3Connections(DOWNLOAD_POOL, bucket, limit=DOWNLOADS, timeout=timeout)
        self._health_connections = S3Connections(
            HEALTH_POOL, bucket, limit=HEALTH_CONNECTIONS, timeout=timeout
        )
        self._downloads = Downloads(DOWNLOAD_POOL, DOWNLOADS)
        self._pools = {
            POOL: self._connections.state,
            DOWNLOAD_POOL: self._downloads.state,
            HEALTH_POOL: self._health_connections.state,
        }
        for name, state in self._pools.items():
            watch_pool(name, state)
        self.serves_clients = bucket.public_url is not None

    async def put(
        self,
        key: str,
        path: Path,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        expected: Digest | None = None,
    ) -> None:
        check_key(key)
        check_size(path, expected)
        for pause_s in PUT_PAUSES_S:
            try:
                await self._put(key, path, content_type, metadata, expected)
                break
            except (StoreFaltered, DigestMismatch):
                await asyncio.sleep(pause_s)
        else:
            await self._put(key, path, content_type, metadata, expected)
        await _in_thread_unless_small(path, path.unlink)

    async def _put(
        self, key: str, path: Path, content_type: str, metadata: Mapping[str, str], expected: Digest | None
    ) -> None:
        with await _in_thread_unless_small(path, partial(_open, path)) as file, faults(key):
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            async with asyncio.timeout(CALL_S + size / PUT_BYTES_PER_S):
                client = await self._client()
                stored = await client.put_object(
                    self._bucket.name,
                    key,
                    file,
                    size,
                    content_type=content_type,
                    metadata={name: _header(value) for name, value in metadata.items()},
                    part_size=PART_BYTES if size <= SMALL_BYTES else size,  # always one request
                )
        metrics.BYTES.add("stored", by=size)
        if not _is_encrypted(stored):
            check_etag(stored.etag or "", expected)

    @asynccontextmanager
    async def as_file(self, key: str) -> AsyncGenerator[Path]:
        with tempfile.NamedTemporaryFile(dir=self._scratch) as file:
            async with self._whole(key) as chunks:
                async for chunk in chunks:
                    if len(chunk) < CHUNK_BYTES:  # the last one: writing it is faster than a thread
                        file.write(chunk)
                    else:
                        await SCRATCH.run(file.write, chunk)
            file.flush()
            yield Path(file.name)

    @asynccontextmanager
    async def read(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        check_key(key)
        if start < 0:
            raise ValueError("start must not be negative")
        get = partial(self._get, self._download_connections, key)
        download = await self._downloads.open(get, start, length)
        try:
            yield download.chunks()
        finally:
            download.close()

    @asynccontextmanager
    async def _whole(self, key: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Stream an object to this process, which reads as fast as it can."""
        check_key(key)
        response = await self._get(self._connections, key, 0, None)
        try:
            yield _chunks(response)
        finally:
            if response is not None:
                response.release()  # otherwise it keeps its connection

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            check_key(key)
        if not keys:
            return
        async with _limited():
            client = await self._client()
            errors = await client.remove_objects(self._bucket.name, [DeleteObject(key) for key in keys])
        refused = {
            error.name or "": f"the store answered {error.code}"
            for error in errors
            if error.code != "NoSuchKey"
        }
        if refused:
            raise ObjectsNotDeleted(refused)

    async def scan(self, prefix: str) -> AsyncGenerator[Stored]:
        check_prefix(prefix)
        async with _limited():
            found = aiter(
                (await self._client()).list_objects(self._bucket.name, prefix=prefix, recursive=True)
            )
        while True:
            async with _limited():
                entry = await anext(found, None)
            if entry is None:
                return
            if entry.object_name and not entry.is_dir:
                yield Stored(
                    key=entry.object_name,
                    size_bytes=entry.size or 0,
                    modified_at=entry.last_modified or datetime.now(UTC),
                )

    async def link(self, key: str, *, expires_s: int, content_type: str, disposition: str) -> str:
        check_key(key)
        return await self._connections.minio.get_presigned_url(
            "GET",
            self._bucket.name,
            key,
            expires=timedelta(seconds=min(expires_s, MAX_LINK_S)),
            response_headers={
                "response-content-type": content_type,
                "response-content-disposition": disposition,
            },
        )

    async def signed_put(
        self, key: str, *, size_bytes: int, md5: str | None, content_type: str, expires_s: int
    ) -> SignedPut | None:
        check_key(key)
        if not self.serves_clients:
            return None
        async with _limited():
            await self._client()  # who stores an object there cannot create the bucket
        headers = {"Content-Type": content_type}
        if md5 is not None:
            headers["Content-MD5"] = b64encode(bytes.fromhex(md5)).decode()
        address = await self._connections.minio.get_presigned_url(
            "PUT", self._bucket.name, key, expires=timedelta(seconds=1)
        )
        signed = {name.lower(): value for name, value in headers.items()} | {
            "content-length": str(size_bytes)
        }
        url = presigned_put(
            address.partition("?")[0], self._bucket, signed, expires_s=expires_s, moment=datetime.now(UTC)
        )
        return SignedPut(url=url, headers=headers)

    async def free_bytes(self) -> None:
        pass

    async def ping(self) -> None:
        async with _limited():
            client = await self._client(self._health_connections)
            if not await client.bucket_exists(self._bucket.name):
                self._ready = False
                raise StoreUnavailable("the object store has no such bucket")

    async def close(self) -> None:
        for name, state in self._pools.items():
            forget_pool(name, state)
        for connections in (self._connections, self._download_connections, self._health_connections):
            await connections.close()

    async def _get(
        self, connections: S3Connections, key: str, start: int, length: int | None
    ) -> ClientResponse | None:
        """Return the open response; None if the range is empty or begins after the end."""
        async with _limited(key):
            client = await self._client(connections)
            try:
                if length == 0:  # the library takes 0 for no limit
                    await client.stat_object(self._bucket.name, key)
                    return None
                return await client.get_object(self._bucket.name, key, offset=start, length=length or 0)
            except MinioException as error:
                if status_and_code(error)[1] == "InvalidRange":
                    return None
                raise

    async def _client(self, connections: S3Connections | None = None) -> Minio:
        if not self._ready:
            async with self._preparing:
                await self._prepare()
        return (connections or self._connections).client()

    async def _prepare(self) -> None:
        """Create the bucket, unless it exists or the credentials do not allow to look for it."""
        if self._ready:
            return
        try:
            client = self._connections.client()
            if not await client.bucket_exists(self._bucket.name):
                await client.make_bucket(self._bucket.name, self._bucket.region)
        except MinioException as error:
            if status_and_code(error)[0] not in (403, 409):
                raise
        self._ready = True


@asynccontextmanager
async def _limited(key: str = "") -> AsyncGenerator[None]:
    """Run a call that transfers no file within `CALL_S`, with the errors of this package."""
    with faults(key):
        async with asyncio.timeout(CALL_S):
            yield


async def _chunks(response: ClientResponse | None) -> AsyncGenerator[bytes]:
    if response is None:
        return
    while True:
        with faults():
            chunk = await read_chunk(response.content)
        if not chunk:
            return
        metrics.BYTES.add("read", by=len(chunk))
        yield chunk


async def _in_thread_unless_small(path: Path, work: Callable[[], T]) -> T:
    """Run `work` on the file, in a thread if it is large; a small file is faster without one."""
    return work() if _is_small(path) else await SCRATCH.run(work)


def _is_small(path: Path) -> bool:
    return path.stat().st_size <= SMALL_BYTES


def _open(path: Path) -> BinaryIO:
    """Open the file; read a small one at once, because the client reads an open one in threads."""
    return BytesIO(path.read_bytes()) if _is_small(path) else path.open("rb")


def _is_encrypted(stored: ObjectWriteResult) -> bool:
    """Return whether the store encrypts the object with a key of its own, so that its ETag is no digest."""
    return CIMultiDict(stored.http_headers or ()).get(ENCRYPTION, "AES256") != "AES256"


def _header(value: str) -> str:
    """Percent-encode a value that is not printable ASCII."""
    return value if value.isascii() and value.isprintable() else quote(value)
