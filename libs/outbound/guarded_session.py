"""The HTTP session of all requests to users' URLs, and the mapping of its errors."""

import socket
from collections.abc import Mapping

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver

from libs import __version__
from libs.outbound.errors import FetchError, UrlForbidden, UrlUnreachable
from libs.outbound.guard import Blocked, Guard, GuardedResolver

USER_AGENT = f"Darkroom/{__version__} (self-hosted image platform)"
CONNECTIONS = 100
NO_SUCH_NAME = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


def guarded_session(
    guard: Guard, resolver: AbstractResolver, headers: Mapping[str, str], *, connections: int = CONNECTIONS
) -> ClientSession:
    """Return a session whose connections are all checked by the guard; it has no timeout of its own."""
    connector = TCPConnector(
        resolver=GuardedResolver(guard, resolver),
        use_dns_cache=False,
        force_close=True,
        limit=connections,
        socket_factory=guard.open_socket,
    )
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        headers={"User-Agent": USER_AGENT, **headers},
        timeout=ClientTimeout(total=None),
        trust_env=False,  # a proxy would connect instead of us, past the guard
    )


def to_fetch_error(error: ClientError | UnicodeError) -> FetchError:
    """Map an error of aiohttp to ours."""
    if isinstance(error, Blocked):
        return UrlForbidden(str(error))
    if isinstance(error, InvalidURL | UnicodeError):
        return UrlForbidden(f"not a URL: {error}")
    if isinstance(error, ClientConnectorCertificateError):
        return UrlUnreachable("the server's certificate is not valid")
    no_such_name = isinstance(error, ClientConnectorDNSError) and error.os_error.errno in NO_SUCH_NAME
    return UrlUnreachable(str(error) or type(error).__name__, transient=not no_such_name)
