"""The HTTP session of all requests to users' URLs, and the mapping of its errors."""

import errno
import socket
from collections.abc import Mapping

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver

from libs import __version__
from libs.outbound.errors import FetchError, UrlForbidden, UrlUnreachable
from libs.outbound.guard import Blocked, Guard, GuardedResolver

USER_AGENT = f"Darkroom/{__version__} (self-hosted image platform)"
CONNECTIONS = 100
CONNECT_ERRORS = {
    errno.ECONNREFUSED: "the server refuses the connection",
    errno.ECONNRESET: "the server closed the connection",
    errno.EHOSTUNREACH: "there is no route to the server",
    errno.ENETUNREACH: "there is no route to the server",
    errno.ETIMEDOUT: "the server does not answer",
}
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
    """Map an error of aiohttp to ours, in our own words."""
    if isinstance(error, Blocked):
        return UrlForbidden(str(error))
    if isinstance(error, InvalidURL | UnicodeError):
        return UrlForbidden("not a URL: its host is not valid")
    if isinstance(error, ClientConnectorCertificateError):
        return UrlUnreachable("the server's certificate is not valid")
    if isinstance(error, ClientConnectorDNSError) and error.os_error.errno in NO_SUCH_NAME:
        return UrlUnreachable("the host name is unknown")
    return UrlUnreachable(_reason(error), transient=True)


def _reason(error: ClientError) -> str:
    match error:
        case ClientConnectorDNSError():
            return "the host name cannot be looked up now"
        case ClientConnectorSSLError():
            return "the server does not speak TLS as it should"
        case ClientConnectorError():
            return CONNECT_ERRORS.get(error.os_error.errno or 0, "no connection to the server")
        case ServerDisconnectedError():
            return "the server closed the connection without a response"
        case ClientPayloadError():
            return "the connection broke before the response was whole"
        case ClientResponseError():
            return "the response is not valid HTTP"
        case ClientOSError():
            return "the connection broke"
        case _:
            return "the request failed"
