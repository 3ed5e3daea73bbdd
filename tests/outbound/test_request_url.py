"""A URL is requested as it was given; only what is illegal in it is encoded."""

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct

from libs.outbound import Fetcher, FetchLimits, Guard, UrlForbidden
from libs.outbound.request_url import join_url, parse_url
from tests.support.photo_server import ALLOWED, OUTSIDE

LIMITS = FetchLimits(timeout_s=20, max_redirects=3, max_bytes=1_000_000, max_data_bytes=1000)
RESPONSE = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na"
REDIRECT = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: {}\r\n\r\n"

LEGAL = [
    "/a%2Fb%3Ac%40d%28e%29",
    "/a/b:c@d(e)!$&'*+,;=~",
    "/a?Signature=x%2Fy%3D%3D&Key-Pair-Id=K%3A1&u=%40&p=%28%29",  # CloudFront
    "/k?AWSAccessKeyId=A&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&Expires=1175139620",  # S3, version 2
    "/unsafe/300x200/filters:quality(80):format(webp)/https%3A%2F%2Fh%2Fa.jpg",  # thumbor
    "/a%2fb%c3%a9",  # the case of the digits
    "/a//b///c",
    "/a?b?c/d=/../e",
    "/a+b?c+d=e%20f",
    "/a.b..c/...",
    "/%7Euser/%2e%2e%2fc",
    "/a?q=[1]&r={2}|3",
    "/a%2Fb?",
]
ILLEGAL = [
    ("/black cat.jpg", "/black%20cat.jpg"),
    ("/é/ü?ö=ñ", "/%C3%A9/%C3%BC?%C3%B6=%C3%B1"),
    ("/100%", "/100%25"),
    ("/50%25%2x?a=%", "/50%25%252x?a=%25"),
    ('/a"b<c>d`e{f}', "/a%22b%3Cc%3Ed%60e%7Bf%7D"),
    ("/a?b='c'&\"d\"", "/a?b=%27c%27&%22d%22"),
    ("/a#fragment?not=sent", "/a"),
    ("", "/"),
    ("?a=b", "/?a=b"),
    ("?", "/?"),
    ("/a?#b", "/a?"),
    ("/a/b/../c/./d", "/a/c/d"),
    ("/../../a/..", "/"),
    ("/a/.", "/a/"),
]


class Recorder(Struct):
    """A server that records the target of each request as it came, before any library reads it."""

    port: int
    targets: list[str] = []
    responses: list[str] = []  # RESPONSE when empty

    @property
    def origin(self) -> str:
        return f"http://{OUTSIDE}:{self.port}"


@asynccontextmanager
async def recording() -> AsyncGenerator[Recorder]:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        recorder.targets.append(head.split(b" ")[1].decode("latin-1"))
        response = recorder.responses.pop(0) if recorder.responses else RESPONSE
        writer.write(response.encode("utf-8", "surrogateescape"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(respond, OUTSIDE, 0)
    recorder = Recorder(server.sockets[0].getsockname()[1])
    async with server:
        yield recorder


@asynccontextmanager
async def fetching(port: int) -> AsyncGenerator[Fetcher]:
    async with Fetcher(Guard(ports=[port], allow_networks=[ALLOWED]), LIMITS) as fetcher:
        yield fetcher


async def test_a_legal_url_is_sent_as_curl_sends_it(tmp_path: Path) -> None:
    async with recording() as recorder, fetching(recorder.port) as fetcher:
        urls = [f"{recorder.origin}{path}" for path in LEGAL]
        for url in urls:
            await fetcher.fetch(url, tmp_path / "file")
        ours, recorder.targets = recorder.targets, []
        curl = await asyncio.create_subprocess_exec("curl", "-sg", *urls, stdout=DEVNULL)
        assert await curl.wait() == 0
    assert ours == recorder.targets == LEGAL


async def test_what_is_illegal_is_encoded_and_nothing_else(tmp_path: Path) -> None:
    async with recording() as recorder, fetching(recorder.port) as fetcher:
        for path, _ in ILLEGAL:
            await fetcher.fetch(f"{recorder.origin}{path}", tmp_path / "file")
    assert recorder.targets == [target for _, target in ILLEGAL]


async def test_a_redirect_is_followed_as_it_was_given(tmp_path: Path) -> None:
    async with recording() as recorder, fetching(recorder.port) as fetcher:
        locations = [
            ("/b%2Fc?s=%3A%40", "/b%2Fc?s=%3A%40"),
            (f"{recorder.origin}/d%28e%29", "/d%28e%29"),
            (f"//{OUTSIDE}:{recorder.port}/f%2F", "/f%2F"),
            ("?g=%2F", "/x/y?g=%2F"),
            ("../h%3Ai j", "/h%3Ai%20j"),
            ("/é", "/%C3%A9"),
            ("/caf\udce9", "/caf%E9"),  # a byte of Latin-1
        ]
        for location, target in locations:
            recorder.responses.append(REDIRECT.format(location))
            await fetcher.fetch(f"{recorder.origin}/x/y?z=1", tmp_path / "file")
            assert recorder.targets[-2:] == ["/x/y?z=1", target]


@pytest.mark.parametrize(
    "location", ["http://[::1", "https:", "http://h\x7f/", "\\\\h\\a", "mailto:a@b.example"]
)
async def test_a_redirect_that_is_no_url_is_forbidden(tmp_path: Path, location: str) -> None:
    async with recording() as recorder, fetching(recorder.port) as fetcher:
        recorder.responses.append(REDIRECT.format(location))
        with pytest.raises(UrlForbidden):
            await fetcher.fetch(f"{recorder.origin}/", tmp_path / "file")


def test_a_host_becomes_ascii_and_the_rest_of_the_url_stays() -> None:
    assert str(parse_url("HTTPS://Bücher.example:8443/a%2Fb")) == "https://xn--bcher-kva.example:8443/a%2Fb"
    assert str(join_url(parse_url("http://a.example/b%2Fc/d"), "e%2F")) == "http://a.example/b%2Fc/e%2F"


@pytest.mark.parametrize(
    "text", ["", "a.jpg", "//h/a", "http:h/a", "http:/h/a", "http:///a", "http://h:x/", "http://[::1/"]
)
def test_what_has_no_valid_host_is_no_url(text: str) -> None:
    with pytest.raises(ValueError, match=r"^it"):
        parse_url(text)
