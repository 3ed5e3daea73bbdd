"""Which addresses a request that a user asked for may go to.

`check_url` refuses what can be told from the text, `GuardedResolver` names that lead elsewhere. What counts
is `Guard.open_socket`: it sees the numeric address of every connection, whatever name, spelling, redirect or
DNS answer led there.
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

AddrInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

MAX_URL_CHARS = 8192
SCHEMES = ("http", "https")
PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa")  # resolve inside, wherever one is
NAME = re.compile(r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*\Z")
NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


class Blocked(ClientError):
    """A connection that was about to go where it may not."""


class Guard:
    """The rules of one installation."""

    def __init__(self, *, ports: Sequence[int], allow_networks: Sequence[str] = ()) -> None:
        self._ports = frozenset(ports)
        self._opened: tuple[Network, ...] = tuple(ip_network(text) for text in allow_networks)

    def check_url(self, text: str) -> URL:
        """The address as a URL.

        Raises:
            UrlForbidden: It is malformed, or says by itself that it leads elsewhere than to a public server.
        """
        if len(text) > MAX_URL_CHARS:
            raise UrlForbidden(f"an address may have {MAX_URL_CHARS} characters")
        try:
            url = _parsed(text)
            port = url.explicit_port if url.explicit_port is not None else url.port
        except ValueError as error:
            raise UrlForbidden(f"not an address: {error}") from error
        if url.scheme not in SCHEMES or not url.raw_host:
            raise UrlForbidden("only http and https addresses are fetched")
        if url.raw_user is not None or url.raw_password is not None:
            raise UrlForbidden("an address with a user name or a password is not fetched")
        if port not in self._ports:
            raise UrlForbidden(f"port {port} is not one that is fetched from")
        self._check_host(url.host or "", url.raw_host)
        return url

    def allows(self, text: str) -> bool:
        """Whether a connection to a numeric address is allowed.

        One that wraps an IPv4 address leaves the check to whoever unwraps it: it needs an opened network
        around it, and even there only leads where its IPv4 address may go.
        """
        address = ip_address(text.split("%")[0])
        wrapped = _wrapped(address)
        if wrapped is None:
            return self._is_opened(address) or _is_public(address)
        return self._is_opened(address) and (self._is_opened(wrapped) or _is_public(wrapped))

    def open_socket(self, info: AddrInfo) -> socket.socket:
        """The socket of a connection, made only if it may be.

        Raises:
            Blocked: It may not.
        """
        self.check_address(cast("str", info[4][0]))
        return socket.socket(info[0], info[1], info[2])

    def check_address(self, text: str) -> None:
        """Refuse a numeric address that a connection may not go to.

        Raises:
            Blocked: It may not.
        """
        if not self.allows(text):
            raise Blocked(f"{text} is not a public address")

    def _is_opened(self, address: Address) -> bool:
        return any(address in network for network in self._opened)

    def _check_host(self, host: str, in_ascii: str) -> None:
        name = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()
        try:
            allowed = self.allows(name)
        except ValueError:
            if _ends_in_number(name) or not NAME.match(in_ascii):
                raise UrlForbidden(f"{host} is neither a name nor an address") from None
            allowed = bool(self._opened) or not _is_private_name(name)
        if not allowed:
            raise UrlForbidden(f"{host} is not a public address")


class GuardedResolver(AbstractResolver):
    """Refuses a name as soon as one of its addresses is forbidden: no other is tried in its place."""

    def __init__(self, guard: Guard, resolver: AbstractResolver) -> None:
        self._guard = guard
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            self._guard.check_address(one["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


def _parsed(text: str) -> URL:
    if any(c <= " " or c == "\x7f" for c in text.strip(" ").replace(" ", "x")):
        raise ValueError("it has control characters")
    if "\\" in text:
        raise ValueError("it has backslashes")
    return URL(text.strip(" "))


def _wrapped(address: Address) -> IPv4Address | None:
    """Where packets for a NAT64, 6to4, Teredo or IPv4-mapped address end up."""
    if isinstance(address, IPv4Address):
        return None
    if address.teredo:
        return address.teredo[1]
    if any(address in network for network in NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_public(address: Address) -> bool:
    """`is_global` alone is not enough: it is true of multicast, fec0::1 and ::127.0.0.1."""
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _ends_in_number(name: str) -> bool:
    """Whether some program would read the name as an IPv4 address: 127.1, 0x7f000001, 0177.0.0.1."""
    last = name.rpartition(".")[2]
    if not last.isascii():
        return False
    return last.isdigit() or (last.startswith("0x") and all(c in "0123456789abcdef" for c in last[2:]))


def _is_private_name(name: str) -> bool:
    return "." not in name or any(name == one or name.endswith(f".{one}") for one in PRIVATE_NAMES)
