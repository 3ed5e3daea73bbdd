"""The bucket, and connections to it that serve one purpose."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, BinaryIO, cast

from aiohttp import ClientSession, ClientTimeout
from aiohttp.typedefs import LooseHeaders
from miniopy_async.api import Minio
from miniopy_async.credentials.credentials import Credentials
from miniopy_async.time import to_amz_date, utcnow

from libs.runtime.keepalive import keep_alive
from libs.runtime.metrics.pools import PoolState
from libs.storage.objects.s3_pool import WatchedConnector

CLOSE_S = 1.0
NO_BODY = sha256(b"").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket and how to reach it."""

    endpoint: str  # host:port
    name: str
    key: str
    secret: str = field(repr=False)
    secure: bool = True
    region: str = "us-east-1"
    public_url: str | None = None  # scheme://host[:port] in links; None: the endpoint


class _Client(Minio):
    """Minio's client, which hashes an empty body once, not for each request and in a thread."""

    async def _build_headers(
        self,
        host: str,
        headers: LooseHeaders | dict[str, Any] | None,
        body: bytes | BinaryIO | None,
        creds: Credentials | None,
    ) -> tuple[dict[str, str], datetime]:
        if body or creds is None or creds.session_token or self._base_url.is_https:
            return await super()._build_headers(host, headers, body, creds)
        moment = utcnow()
        built = cast("dict[str, str]", dict(headers or {}))
        built |= {
            "Host": host,
            "User-Agent": self._user_agent,
            "x-amz-content-sha256": NO_BODY,
            "x-amz-date": to_amz_date(moment),
        }
        return built, moment


class S3Connections:
    """A client of a bucket's server with a pool of connections of its own, opened by the first use."""

    def __init__(self, pool: str, bucket: Bucket, *, limit: int, timeout: ClientTimeout) -> None:
        self._pool = pool
        self._limit = limit
        self._timeout = timeout
        self._connector: WatchedConnector | None = None
        self._session: ClientSession | None = None
        self.minio = _Client(
            bucket.endpoint,
            access_key=bucket.key,
            secret_key=bucket.secret,
            secure=bucket.secure,
            region=bucket.region,  # otherwise the client asks the server for it
            server_url=bucket.public_url,
        )

    def client(self) -> Minio:
        """Return the client, ready for requests; call it on the event loop."""
        if self._session is None:
            self._connector = WatchedConnector(self._pool, limit=self._limit, socket_factory=_open_socket)
            self._session = ClientSession(
                connector=self._connector,
                timeout=self._timeout,
                headers={"Accept-Encoding": "identity"},
            )
            self.minio.set_session(self._session)
        return self.minio

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await session.close()

    def state(self) -> PoolState:
        """Return the state of the pool; any thread may ask."""
        connector = self._connector
        return PoolState(self._limit, used=0, waiting=0) if connector is None else connector.state()


def _open_socket(info: tuple[Any, ...]) -> socket.socket:
    connection = socket.socket(info[0], info[1], info[2])
    keep_alive(connection)
    return connection
