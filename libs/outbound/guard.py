"""Protection against server-side request forgery: the addresses that a user's URL may lead to.

`check_url` refuses what the text of a URL already shows, and `GuardedResolver` refuses names that resolve to
forbidden addresses. `Guard.open_socket` has the final say: it sees the numeric address of every connection,
whatever name, spelling, redirect or DNS response led there.
"""

import re
import socket
import unicodedata
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeAlias, cast

from aiohttp import ClientError
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from libs.outbound.errors import UrlForbidden
from libs.outbound.request_url import parse_url

AddrInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

MAX_URL_CHARS = 8192
SCHEMES = ("http", "https")
PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa")  # names that resolve to private addresses
NAME = re.compile(r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*\Z")
NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


class Blocked(ClientError):
    """A connection to a forbidden address was refused."""


class Guard:
    """The rules of one installation: the allowed ports, and private networks that are allowed as well."""

    def __init__(self, *, ports: Sequence[int], allow_networks: Sequence[str] = ()) -> None:
        self._ports = frozenset(ports)
        self._allowed_networks: tuple[Network, ...] = tuple(ip_network(text) for text in allow_networks)

    def check_url(self, text: str) -> URL:
        """Parse and check a URL.

        Raises:
            UrlForbidden: It is malformed, or its text shows that it does not lead to a public server.
        """
        if len(text) > MAX_URL_CHARS:
            raise UrlForbidden(f"a URL may have {MAX_URL_CHARS} characters")
        try:
            url = parse_url(text)
            port = url.explicit_port if url.explicit_port is not None else url.port
        except ValueError as error:
            raise UrlForbidden(f"not a URL: {error}") from error
        if url.scheme not in SCHEMES or not url.raw_host:
            raise UrlForbidden("only http and https URLs are allowed")
        if url.raw_user is not None or url.raw_password is not None:
            raise UrlForbidden("a URL with a user name or a password is not allowed")
        if port not in self._ports:
            raise UrlForbidden(f"port {port} is not allowed")
        self._check_host(url.host or "", url.raw_host)
        return url

    def allows(self, text: str) -> bool:
        """Return whether a connection to a numeric address is allowed.

        An IPv6 address that embeds an IPv4 address needs both: it lies in an allowed network, and a
        connection to its IPv4 address would be allowed.
        """
        address = ip_address(text.split("%")[0])
        embedded = _embedded_ipv4(address)
        if embedded is None:
            return self._is_reachable(address)
        return self._is_allowed_network(address) and self._is_reachable(embedded)

    def open_socket(self, info: AddrInfo) -> socket.socket:
        """Create the socket of a connection.

        Raises:
            Blocked: The address is forbidden.
        """
        self.check_address(cast("str", info[4][0]))
        return socket.socket(info[0], info[1], info[2])

    def check_address(self, text: str) -> None:
        """Check a numeric address.

        Raises:
            Blocked: The address is forbidden.
        """
        if not self.allows(text):
            raise Blocked(f"{text} is not a public address")

    def _is_reachable(self, address: Address) -> bool:
        return self._is_allowed_network(address) or _is_public(address)

    def _is_allowed_network(self, address: Address) -> bool:
        return any(address in network for network in self._allowed_networks)

    def _check_host(self, host: str, in_ascii: str) -> None:
        name = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()
        try:
            allowed = self.allows(name)
        except ValueError:
            if _ends_in_number(name) or not NAME.match(in_ascii):
                raise UrlForbidden(f"{host} is neither a host name nor an IP address") from None
            allowed = bool(self._allowed_networks) or not _is_private_name(name)
        if not allowed:
            raise UrlForbidden(f"{host} is not a public address")


class GuardedResolver(AbstractResolver):
    """A resolver that refuses a name when any of its addresses is forbidden."""

    def __init__(self, guard: Guard, resolver: AbstractResolver) -> None:
        self._guard = guard
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            self._guard.check_address(result["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


def _embedded_ipv4(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that a NAT64, 6to4, Teredo or IPv4-mapped address leads to."""
    if isinstance(address, IPv4Address):
        return None
    if address.teredo:
        return address.teredo[1]
    if any(address in network for network in NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_public(address: Address) -> bool:
    """Return whether an address is public; `is_global` alone accepts multicast, fec0::1 and ::127.0.0.1."""
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _ends_in_number(name: str) -> bool:
    """Return whether some programs read the name as an IPv4 address: 127.1, 0x7f000001, 0177.0.0.1."""
    last = name.rpartition(".")[2]
    if not last.isascii():
        return False
    return last.isdigit() or (last.startswith("0x") and all(c in "0123456789abcdef" for c in last[2:]))


def _is_private_name(name: str) -> bool:
    return "." not in name or any(
        name == private or name.endswith(f".{private}") for private in PRIVATE_NAMES
    )
