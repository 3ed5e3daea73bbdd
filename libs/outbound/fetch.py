"""Fetching what users name by URL, to a file, under every limit at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType

from aiohttp import ClientError, ClientResponse, ClientSession, ThreadedResolver
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from yarl import URL

from libs.outbound.data_url import decode_data_url, is_data_url
from libs.outbound.errors import UrlForbidden, UrlHttpError, UrlTimeout, UrlTooLarge
from libs.outbound.guard import Guard
from libs.outbound.receiving import receive
from libs.outbound.retry_after import retry_after_s
from libs.outbound.session import guarded_session, translated

HEADERS = {"Accept": "image/*,*/*;q=0.5"}
CHUNK_BYTES = 64 * 1024
REDIRECTS = (301, 302, 303, 307, 308)
TRANSIENT_STATUSES = (408, 425, 429)  # and all from 500 on
BUSY_STATUSES = (429, 503)  # of which a server may say for how long


class FetchLimits(Struct, frozen=True, kw_only=True):
    """What one fetch may cost."""

    timeout_s: float  # for all of it, redirects included
    max_redirects: int
    max_bytes: int  # decompressed
    max_data_bytes: int  # of a data: URL


class Validators(Struct, frozen=True, kw_only=True):
    """What a server said about the version that it sent (RFC 9110, section 8.8)."""

    etag: str | None = None
    last_modified: str | None = None


class Fetched(Struct, frozen=True, kw_only=True):
    """A file that was fetched."""

    filename: str  # as the server or the address has it, unchecked; may be empty
    size_bytes: int
    md5: str
    validators: Validators


class Fetcher:
    """One HTTP session for the URLs of users; nothing else goes through it."""

    def __init__(
        self, guard: Guard, limits: FetchLimits, *, resolver: AbstractResolver | None = None
    ) -> None:
        self._guard = guard
        self._limits = limits
        self._resolver = resolver
        self._session: ClientSession | None = None

    async def __aenter__(self) -> "Fetcher":
        self._session = guarded_session(self._guard, self._resolver or ThreadedResolver(), HEADERS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str, target: Path, *, known: Validators | None = None) -> Fetched | None:
        """Write what `url` holds to `target`; None when it is still what `known` says.

        Raises:
            FetchError: It could not be had; see the subclasses. What is at `target` then is of no use.
        """
        if is_data_url(url):
            return await self._unpack(url, target)
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                return await self._fetch(url, target, known or Validators())
        except TimeoutError as error:
            text = f"the address took longer than {self._limits.timeout_s:g} s"
            raise UrlTimeout(text, transient=True) from error
        except (ClientError, UnicodeError) as error:
            raise translated(error) from error

    async def _fetch(self, url: str, target: Path, known: Validators) -> Fetched | None:
        async with self._answer(self._guard.check_url(url), known) as answer:
            asked = known.etag or known.last_modified
            if answer.status == 304 and asked:
                return None
            if not 200 <= answer.status < 300:
                raise _http_error(answer)
            limit = self._limits.max_bytes
            if (answer.content_length or 0) > limit:
                raise UrlTooLarge(f"the address holds {answer.content_length} bytes, the limit is {limit}")
            received = await receive(answer.content.iter_chunked(CHUNK_BYTES), target, max_bytes=limit)
            return Fetched(
                filename=_filename(answer),
                size_bytes=received.size_bytes,
                md5=received.md5,
                validators=Validators(
                    etag=answer.headers.get("ETag"), last_modified=answer.headers.get("Last-Modified")
                ),
            )

    @asynccontextmanager
    async def _answer(self, url: URL, known: Validators) -> AsyncGenerator[ClientResponse]:
        """The first answer that is no redirect."""
        assert self._session is not None, "enter the fetcher first"  # noqa: S101
        for _ in range(self._limits.max_redirects + 1):
            async with self._session.get(url, headers=_conditions(known), allow_redirects=False) as answer:
                target = answer.headers.get("Location")
                if answer.status not in REDIRECTS or target is None:
                    yield answer
                    return
                url = self._guard.check_url(str(_joined(url, target)))
        raise UrlHttpError(f"the address redirects more than {self._limits.max_redirects} times")

    async def _unpack(self, url: str, target: Path) -> Fetched:
        limit = self._limits.max_data_bytes
        content = await asyncio.to_thread(decode_data_url, url, max_bytes=limit)
        received = await receive(_one(content), target, max_bytes=limit)
        return Fetched(filename="", size_bytes=received.size_bytes, md5=received.md5, validators=Validators())


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _conditions(known: Validators) -> dict[str, str]:
    conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in conditions.items() if value}


def _joined(url: URL, target: str) -> URL:
    try:
        return url.join(URL(target))
    except ValueError as error:
        raise UrlForbidden(f"it redirects to no address: {error}") from error


def _http_error(answer: ClientResponse) -> UrlHttpError:
    status = answer.status
    transient = status >= 500 or status in TRANSIENT_STATUSES
    asked_s = retry_after_s(answer.headers.get("Retry-After")) if status in BUSY_STATUSES else None
    text = f"the address answered with status {status}"
    return UrlHttpError(text, transient=transient, retry_after_s=asked_s)


def _filename(answer: ClientResponse) -> str:
    given = answer.content_disposition.filename if answer.content_disposition else None
    return given or answer.url.name
