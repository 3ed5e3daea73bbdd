"""No spelling of an address leads inside."""

from collections.abc import AsyncIterator
from pathlib import Path
from socket import AF_INET, AF_INET6, IPPROTO_TCP, SOCK_STREAM, AddressFamily

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from libs.outbound import Fetcher, FetchLimits, Guard, UrlForbidden
from libs.outbound.guard import Blocked
from tests.outbound.hostile_urls import HOSTILE, WRAPPED_PUBLIC
from tests.support.photo_server import ALLOWED, INSIDE, OUTSIDE, Trap, serving, trap

LIMITS = FetchLimits(timeout_s=10, max_redirects=3, max_bytes=1_000_000, max_data_bytes=1000)


class Liar(AbstractResolver):
    """Answers each question with the next of its addresses, whatever the name."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=AF_INET6 if ":" in address else AF_INET,
                proto=0,
                flags=0,
            )
            for address in self.answers.pop(0)
        ]

    async def close(self) -> None:
        pass


@pytest.fixture(scope="module")
async def inner() -> AsyncIterator[Trap]:
    async with trap() as listening:
        yield listening
        assert listening.connections == 0


@pytest.mark.parametrize("spelling", HOSTILE)
async def test_a_hostile_url_is_refused_without_a_connection(
    spelling: str, inner: Trap, tmp_path: Path
) -> None:
    guard = Guard(ports=[80, 443, inner.port])
    async with Fetcher(guard, LIMITS) as fetcher:
        with pytest.raises(UrlForbidden) as refused:
            await fetcher.fetch(spelling.replace("{port}", str(inner.port)), tmp_path / "file")
    assert refused.value.code == "url_forbidden"
    assert refused.value.outcome == "refused"
    assert inner.connections == 0


def test_there_are_enough_spellings() -> None:
    assert len(set(HOSTILE)) >= 100


@pytest.mark.parametrize("address", [INSIDE, "::1", "::ffff:127.0.0.1", "10.0.0.1", "fe80::1%lo", "0.0.0.0"])  # noqa: S104
async def test_a_public_name_that_resolves_inside_is_refused(
    address: str, inner: Trap, tmp_path: Path
) -> None:
    async with Fetcher(Guard(ports=[inner.port]), LIMITS, resolver=Liar([address])) as fetcher:
        with pytest.raises(UrlForbidden):
            await fetcher.fetch(f"http://photos.example.com:{inner.port}/", tmp_path / "file")
    assert inner.connections == 0


async def test_a_name_that_changes_its_address_is_refused(tmp_path: Path) -> None:
    async with serving(OUTSIDE, INSIDE) as (outer, inner):
        guard = Guard(ports=[outer.port], allow_networks=[ALLOWED])
        outer.redirect("/a", "/b")
        inner.serve("/b", b"secret")
        async with Fetcher(guard, LIMITS, resolver=Liar([OUTSIDE], [INSIDE])) as fetcher:
            with pytest.raises(UrlForbidden):
                await fetcher.fetch(f"http://rebinding.example.com:{outer.port}/a", tmp_path / "file")
        assert outer.request_counts == {"/a": 1}
        assert not inner.request_counts


async def test_a_forbidden_address_beside_an_allowed_one_is_never_connected(tmp_path: Path) -> None:
    async with serving(OUTSIDE, INSIDE) as (outer, inner):
        guard = Guard(ports=[outer.port], allow_networks=[ALLOWED])
        outer.serve("/a", b"photo")
        for order in ([INSIDE, OUTSIDE], [OUTSIDE, INSIDE], ["::1", OUTSIDE], ["::1", INSIDE]):
            async with Fetcher(guard, LIMITS, resolver=Liar(order)) as fetcher:
                with pytest.raises(UrlForbidden):
                    await fetcher.fetch(f"http://both.example.com:{outer.port}/a", tmp_path / "file")
        assert not inner.request_counts


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/",
        "http://169.254.169.254:{port}/latest/meta-data/",
        "//127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "http://example.com:22/",
        "http://user@127.0.0.2:{port}/",
        "http://[",
    ],
)
async def test_a_redirect_is_checked_like_the_address_itself(target: str, tmp_path: Path) -> None:
    async with serving(OUTSIDE, INSIDE) as (outer, inner):
        guard = Guard(ports=[outer.port], allow_networks=[ALLOWED])
        outer.redirect("/first", "/second")
        url = outer.redirect("/second", target.replace("{port}", str(outer.port)))
        async with Fetcher(guard, LIMITS) as fetcher:
            with pytest.raises(UrlForbidden):
                await fetcher.fetch(url.replace("second", "first"), tmp_path / "file")
        assert outer.request_counts == {"/first": 1, "/second": 1}
        assert not inner.request_counts


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert Guard(ports=[80]).allows(address)


def test_an_opened_network_is_allowed_and_no_other() -> None:
    guard = Guard(ports=[80], allow_networks=["10.1.0.0/16", "fd00:1::/32"])
    for address in ("10.1.2.3", "fd00:1::5"):
        assert guard.allows(address)
    for address in ("10.2.0.1", "fd00:2::1", "127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::a01:203"):
        assert not guard.allows(address)
    assert guard.check_url("http://photos/cat.jpg").host == "photos"  # intranets have names without a dot


@pytest.mark.parametrize("address", WRAPPED_PUBLIC)
async def test_a_wrapped_address_is_refused_where_it_would_be_connected(address: str, tmp_path: Path) -> None:
    with pytest.raises(Blocked):
        Guard(ports=[80]).open_socket((AF_INET6, SOCK_STREAM, IPPROTO_TCP, "", (address, 80, 0, 0)))
    async with Fetcher(Guard(ports=[80]), LIMITS, resolver=Liar([address])) as fetcher:
        with pytest.raises(UrlForbidden):
            await fetcher.fetch("http://photos.example.com/", tmp_path / "file")


@pytest.mark.parametrize(
    ("network", "public", "inside", "opened"),
    [
        ("64:ff9b::/96", "64:ff9b::5db8:d822", "64:ff9b::7f00:1", "64:ff9b::a01:203"),
        ("64:ff9b:1::/96", "64:ff9b:1::5db8:d822", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1::a01:203"),
        ("::ffff:0:0/96", "::ffff:93.184.216.34", "::ffff:127.0.0.1", "::ffff:10.1.2.3"),
        ("2002::/16", "2002:5db8:d822::1", "2002:7f00:1::1", "2002:a01:203::1"),
        (
            "2001::/32",
            "2001:0:4136:e378:8000:63bf:a247:27dd",
            "2001:0:4136:e378:8000:63bf:80ff:fffe",
            "2001:0:4136:e378:8000:63bf:f5fe:fdfc",
        ),
        ("::/0", "64:ff9b::5db8:d822", "64:ff9b::7f00:1", "64:ff9b::a01:203"),
    ],
)
def test_an_opened_network_of_wrapped_addresses_leads_only_where_ipv4_may_go(
    network: str, public: str, inside: str, opened: str
) -> None:
    guard = Guard(ports=[80], allow_networks=[network])
    assert [guard.allows(address) for address in (public, inside, opened)] == [True, False, False]
    guard.open_socket((AF_INET6, SOCK_STREAM, IPPROTO_TCP, "", (public, 80, 0, 0))).close()
    both = Guard(ports=[80], allow_networks=[network, "10.1.0.0/16"])
    assert [both.allows(address) for address in (public, inside, opened)] == [True, False, True]


def test_an_ordinary_address_passes_unchanged() -> None:
    guard = Guard(ports=[80, 443, 8443])
    for text in (
        "http://example.com/cat.jpg",
        "https://example.com:8443/a%20b.jpg?x=1&y=%2F",
        "https://bücher.example/übung.jpg",
        "http://93.184.216.34/",
        "http://[2606:2800:220:1:248:1893:25c8:1946]/",
        "http://4chan.example.com/",
    ):
        assert str(guard.check_url(text)).startswith(text[:7])


def test_the_socket_itself_is_refused() -> None:
    guard = Guard(ports=[80])
    with pytest.raises(Blocked):
        guard.open_socket((AF_INET, SOCK_STREAM, IPPROTO_TCP, "", (INSIDE, 80)))
