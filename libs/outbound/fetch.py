"""Fetching URLs that users give into files, under limits of time, size and redirects."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType

from aiohttp import ClientError, ClientResponse, ClientSession
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from yarl import URL

from libs.outbound.data_url import decoded_data_url, is_data_url
from libs.outbound.errors import UrlForbidden, UrlHttpError, UrlTimeout, UrlTooLarge
from libs.outbound.guard import Guard
from libs.outbound.guarded_session import USER_AGENT, guarded_session, to_fetch_error
from libs.outbound.request_url import join_url
from libs.outbound.resolver import FETCH_LOOKUPS, ThreadPoolResolver
from libs.outbound.response_body import save_body
from libs.outbound.retry_after import retry_after_s
from libs.runtime import metrics, tracing

SPAN = {"http.request.method": "GET"}
HEADERS = {"Accept": "image/*,*/*;q=0.5"}
CHUNK_BYTES = 64 * 1024
REDIRECTS = (301, 302, 303, 307, 308)
TRANSIENT_STATUSES = (408, 425, 429)  # and all from 500 on
BUSY_STATUSES = (429, 503)  # with these, Retry-After is honoured


class FetchLimits(Struct, frozen=True, kw_only=True):
    """Limits of one fetch."""

    timeout_s: float  # in total, redirects included
    max_redirects: int
    max_bytes: int  # decompressed
    max_data_bytes: int  # of a data: URL


class Validators(Struct, frozen=True, kw_only=True):
    """Validators of the version that a server sent (RFC 9110, section 8.8)."""

    etag: str | None = None
    last_modified: str | None = None


class Fetched(Struct, frozen=True, kw_only=True):
    """A fetched file."""

    filename: str  # from the server or the URL, unchecked; may be empty
    size_bytes: int
    md5: str
    validators: Validators


class Fetcher:
    """An HTTP session for URLs that users give, and for nothing else."""

    def __init__(
        self,
        guard: Guard,
        limits: FetchLimits,
        *,
        user_agent: str = USER_AGENT,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._guard = guard
        self._limits = limits
        self._headers = {"User-Agent": user_agent, **HEADERS}
        self._resolver = resolver
        self._session: ClientSession | None = None

    async def __aenter__(self) -> "Fetcher":
        resolver = self._resolver or ThreadPoolResolver(FETCH_LOOKUPS)
        self._session = guarded_session(self._guard, resolver, self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str, target: Path, *, known: Validators | None = None) -> Fetched | None:
        """Download `url` to `target`; return None when it is still the version that `known` describes.

        Raises:
            FetchError: The download failed; see the subclasses. The content of `target` is undefined then.
        """
        if is_data_url(url):
            return await self._decode(url, target)
        try:
            with tracing.inside("GET", "client", SPAN):  # without the URL, which may have secrets
                async with asyncio.timeout(self._limits.timeout_s):
                    return await self._fetch(url, target, known or Validators())
        except TimeoutError as error:
            text = f"the server took longer than {self._limits.timeout_s:g} s"
            raise UrlTimeout(text, transient=True) from error
        except (ClientError, UnicodeError) as error:
            raise to_fetch_error(error) from error

    async def _fetch(self, url: str, target: Path, known: Validators) -> Fetched | None:
        async with self._response(self._guard.check_url(url), known) as response:
            conditional = known.etag or known.last_modified
            if response.status == 304 and conditional:
                return None
            if not 200 <= response.status < 300:
                raise _http_error(response)
            limit = self._limits.max_bytes
            if (response.content_length or 0) > limit:
                raise UrlTooLarge(f"the file has {response.content_length} bytes, the limit is {limit}")
            received = await save_body(response.content.iter_chunked(CHUNK_BYTES), target, max_bytes=limit)
            metrics.BYTES.add("fetched", by=received.size_bytes)
            return Fetched(
                filename=_filename(response),
                size_bytes=received.size_bytes,
                md5=received.md5,
                validators=Validators(
                    etag=response.headers.get("ETag"), last_modified=response.headers.get("Last-Modified")
                ),
            )

    @asynccontextmanager
    async def _response(self, url: URL, known: Validators) -> AsyncGenerator[ClientResponse]:
        """Follow redirects to the first response that is none."""
        assert self._session is not None, "enter the fetcher first"  # noqa: S101
        for _ in range(self._limits.max_redirects + 1):
            async with self._session.get(url, headers=_conditions(known), allow_redirects=False) as response:
                target = response.headers.get("Location")
                if response.status not in REDIRECTS or target is None:
                    yield response
                    return
                url = self._guard.check_url(str(_joined(url, target)))
        raise UrlHttpError(f"the server redirects more than {self._limits.max_redirects} times")

    async def _decode(self, url: str, target: Path) -> Fetched:
        limit = self._limits.max_data_bytes
        pieces = _one_by_one(decoded_data_url(url, max_bytes=limit))
        received = await save_body(pieces, target, max_bytes=limit)
        return Fetched(filename="", size_bytes=received.size_bytes, md5=received.md5, validators=Validators())


async def _one_by_one(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _conditions(known: Validators) -> dict[str, str]:
    conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in conditions.items() if value}


def _joined(url: URL, target: str) -> URL:
    try:
        return join_url(url, target)
    except ValueError as error:
        raise UrlForbidden(f"the redirect has an invalid URL: {error}") from error


def _http_error(response: ClientResponse) -> UrlHttpError:
    status = response.status
    transient = status >= 500 or status in TRANSIENT_STATUSES
    after_s = retry_after_s(response.headers.get("Retry-After")) if status in BUSY_STATUSES else None
    text = f"the server responded with status {status}"
    return UrlHttpError(text, transient=transient, retry_after_s=after_s)


def _filename(response: ClientResponse) -> str:
    name = response.content_disposition.filename if response.content_disposition else None
    return name or response.url.name
