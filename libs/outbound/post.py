"""Posting a body to a URL that a user gave: once, guarded, within a time limit, without redirects."""

import asyncio
from collections.abc import Mapping
from types import TracebackType

from aiohttp import ClientError, ClientSession
from aiohttp.abc import AbstractResolver
from msgspec import Struct

from libs.outbound.errors import UrlTimeout
from libs.outbound.guard import Guard
from libs.outbound.guarded_session import guarded_session, to_fetch_error
from libs.outbound.resolver import WEBHOOK_LOOKUPS, ThreadPoolResolver
from libs.outbound.retry_after import retry_after_s

HEADERS = {"Content-Type": "application/json"}


class PostResponse(Struct, frozen=True):
    """The head of a receiver's response; its body is not read."""

    status: int
    retry_after_s: float | None

    @property
    def accepted(self) -> bool:
        """Whether the receiver accepted the body; a redirect does not count."""
        return 200 <= self.status < 300


class Poster:
    """An HTTP session for posting; it limits neither connections nor requests."""

    def __init__(self, guard: Guard, *, timeout_s: float, resolver: AbstractResolver | None = None) -> None:
        self._guard = guard
        self._timeout_s = timeout_s
        self._resolver = resolver
        self._session: ClientSession | None = None

    async def __aenter__(self) -> "Poster":
        resolver = self._resolver or ThreadPoolResolver(WEBHOOK_LOOKUPS)
        self._session = guarded_session(self._guard, resolver, HEADERS, connections=0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> PostResponse:
        """Send `body` once; redirects are not followed.

        Raises:
            UrlForbidden: The URL is not allowed.
            UrlTimeout, UrlUnreachable: There was no response.
        """
        assert self._session is not None, "enter the poster first"  # noqa: S101
        address = self._guard.check_url(url)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._session.post(address, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return PostResponse(response.status, retry_after_s(response.headers.get("Retry-After")))
        except TimeoutError as error:
            text = f"there was no response within {self._timeout_s:g} s"
            raise UrlTimeout(text, transient=True) from error
        except (ClientError, UnicodeError) as error:
            raise to_fetch_error(error) from error
