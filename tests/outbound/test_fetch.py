"""What a fetch brings, and how it ends when the other side misbehaves."""

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver

from libs import __version__
from libs.outbound import (
    Fetcher,
    FetchError,
    FetchLimits,
    Guard,
    UrlForbidden,
    UrlHttpError,
    UrlNotAnImage,
    UrlTimeout,
    UrlTooLarge,
    UrlUnreachable,
    Validators,
)
from libs.settings import load_settings
from tests.support.photo_server import ALLOWED, OUTSIDE, PhotoServer, picture, serving

LIMITS = FetchLimits(timeout_s=20, max_redirects=3, max_bytes=1_000_000, max_data_bytes=1000)
QUICK = FetchLimits(timeout_s=0.5, max_redirects=3, max_bytes=1_000_000, max_data_bytes=1000)


@pytest.fixture
async def outer() -> AsyncIterator[PhotoServer]:
    async with serving(OUTSIDE) as (server,):
        yield server


def opened_fetcher(
    server: PhotoServer, limits: FetchLimits = LIMITS, resolver: AbstractResolver | None = None
) -> Fetcher:
    return Fetcher(Guard(ports=[server.port], allow_networks=[ALLOWED]), limits, resolver=resolver)


async def test_a_file_is_fetched_whole_and_hashed(outer: PhotoServer, tmp_path: Path) -> None:
    data = picture(size=(900, 700)) * 8  # several blocks
    url = outer.serve("/cats/black%20cat.jpg".replace("%20", " "), data)
    async with opened_fetcher(outer) as fetcher:
        fetched = await fetcher.fetch(url, tmp_path / "file")
    assert fetched is not None
    assert (tmp_path / "file").read_bytes() == data
    assert (fetched.size_bytes, fetched.md5) == (len(data), hashlib.md5(data).hexdigest())  # noqa: S324
    assert fetched.filename == "black cat.jpg"


async def test_darkroom_says_who_it_is_and_nothing_else_of_us(outer: PhotoServer, tmp_path: Path) -> None:
    url = outer.serve("/a.jpg", b"photo")
    async with opened_fetcher(outer) as fetcher:
        for _ in range(2):
            await fetcher.fetch(url, tmp_path / "file")
    assert outer.headers["User-Agent"].startswith("Darkroom/")
    assert not {"Cookie", "Authorization", "Referer"} & set(outer.headers)


async def test_the_user_agent_names_the_operator(outer: PhotoServer, tmp_path: Path) -> None:
    guard = Guard(ports=[outer.port], allow_networks=[ALLOWED])
    for given, sent in (
        ({}, f"Darkroom/{__version__} (self-hosted image platform)"),
        ({"PUBLIC_URL": "https://img.example"}, f"Darkroom/{__version__} (+https://img.example)"),
        ({"FETCH_USER_AGENT": "shop-bot (mail@shop.example)"}, "shop-bot (mail@shop.example)"),
    ):
        settings = load_settings(
            {f"DARKROOM_{name}": value for name, value in given.items()}, with_secret=False
        )
        async with Fetcher(guard, LIMITS, user_agent=settings.user_agent) as fetcher:
            await fetcher.fetch(outer.serve("/a.jpg", b"photo"), tmp_path / "file")
        assert outer.headers["User-Agent"] == sent


async def test_the_environment_names_no_proxy(
    outer: PhotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with opened_fetcher(outer) as fetcher:
        assert await fetcher.fetch(outer.serve("/a.jpg", b"photo"), tmp_path / "file")


async def test_three_redirects_are_followed_and_no_fourth(outer: PhotoServer, tmp_path: Path) -> None:
    outer.serve("/0", b"photo")
    for step in range(1, 5):
        outer.redirect(f"/{step}", f"/{step - 1}" if step % 2 else outer.url(f"/{step - 1}"))
    async with opened_fetcher(outer) as fetcher:
        assert await fetcher.fetch(outer.url("/3"), tmp_path / "file")
        with pytest.raises(UrlHttpError, match="redirects more than 3 times"):
            await fetcher.fetch(outer.url("/4"), tmp_path / "file")


async def test_what_has_not_changed_is_not_sent_again(outer: PhotoServer, tmp_path: Path) -> None:
    url = outer.serve("/a.jpg", b"one")
    async with opened_fetcher(outer) as fetcher:
        first = await fetcher.fetch(url, tmp_path / "file")
        assert first is not None
        assert first.validators.etag
        assert await fetcher.fetch(url, tmp_path / "file", known=first.validators) is None
        outer.serve("/a.jpg", b"two")
        again = await fetcher.fetch(url, tmp_path / "file", known=first.validators)
    assert again is not None
    assert again.md5 != first.md5


async def test_an_unconditional_304_is_an_error(outer: PhotoServer, tmp_path: Path) -> None:
    async with opened_fetcher(outer) as fetcher:
        with pytest.raises(UrlHttpError, match="304"):
            await fetcher.fetch(outer.url("/status/304"), tmp_path / "file", known=Validators())


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(status, "permanent") for status in (400, 401, 404, 410)]
    + [(status, "transient") for status in (429, 500, 503)],
)
async def test_an_error_of_the_server_names_its_status(
    outer: PhotoServer, tmp_path: Path, status: int, outcome: str
) -> None:
    async with opened_fetcher(outer) as fetcher:
        with pytest.raises(UrlHttpError, match=str(status)) as failed:
            await fetcher.fetch(outer.url(f"/status/{status}"), tmp_path / "file")
    assert failed.value.outcome == outcome


@pytest.mark.parametrize("path", ["/endless", "/bomb"])
async def test_a_body_that_is_too_large_is_given_up(outer: PhotoServer, tmp_path: Path, path: str) -> None:
    async with opened_fetcher(outer) as fetcher:
        with pytest.raises(UrlTooLarge):
            await fetcher.fetch(outer.url(path), tmp_path / "file")
    assert (tmp_path / "file").stat().st_size <= LIMITS.max_bytes
    if path == "/endless":
        await outer.cut_off.wait()


async def test_a_length_that_is_too_large_is_believed(outer: PhotoServer, tmp_path: Path) -> None:
    url = outer.serve("/large", bytes(LIMITS.max_bytes + 1))
    async with opened_fetcher(outer) as fetcher:
        with pytest.raises(UrlTooLarge):
            await fetcher.fetch(url, tmp_path / "file")
        assert await fetcher.fetch(outer.serve("/full", bytes(LIMITS.max_bytes)), tmp_path / "file")
    assert (tmp_path / "file").stat().st_size == LIMITS.max_bytes


async def test_a_slow_drip_is_given_up(outer: PhotoServer, tmp_path: Path) -> None:
    async with opened_fetcher(outer, QUICK) as fetcher:
        with pytest.raises(UrlTimeout) as failed:
            await fetcher.fetch(outer.url("/drip"), tmp_path / "file")
    assert failed.value.outcome == "transient"
    await outer.cut_off.wait()


@pytest.mark.parametrize("path", ["/cut", "/cut/again"])
async def test_a_body_shorter_than_it_says_is_a_transient_error(
    outer: PhotoServer, tmp_path: Path, path: str
) -> None:
    async with opened_fetcher(outer) as fetcher:
        with pytest.raises(UrlUnreachable) as failed:
            await fetcher.fetch(outer.url(path), tmp_path / "file")
    assert failed.value.outcome == "transient"
    assert str(failed.value) == "the connection broke before the response was whole"


async def test_a_refused_connection_is_a_transient_error(tmp_path: Path) -> None:
    async with serving(OUTSIDE) as (server,):
        url = server.url("/a.jpg")
    async with opened_fetcher(server) as fetcher:
        with pytest.raises(UrlUnreachable) as failed:
            await fetcher.fetch(url, tmp_path / "file")
    assert failed.value.outcome == "transient"
    assert str(failed.value) == "the server refuses the connection"


async def test_a_server_that_speaks_no_http(outer: PhotoServer, tmp_path: Path) -> None:
    async with opened_fetcher(outer) as fetcher:
        with pytest.raises(FetchError) as failed:  # TLS with a server that has none
            await fetcher.fetch(outer.url("/a").replace("http:", "https:"), tmp_path / "file")
    assert (failed.value.code, str(failed.value)) == (
        "url_unreachable",
        "the server does not speak TLS as it should",
    )


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,{0}",
        "DATA:;BASE64,{0}",
        "data:image/png;name=a.png;base64, {0}\n",
        "data:image/png;base64,{1}",
        "data:application/octet-stream,{2}",
    ],
)
async def test_a_data_url_holds_its_bytes(outer: PhotoServer, tmp_path: Path, url: str) -> None:
    data = bytes(range(250))
    plain = base64.b64encode(data).decode()
    urlsafe = base64.urlsafe_b64encode(data).decode().rstrip("=")
    escaped = "".join(f"%{byte:02x}" for byte in data)
    async with opened_fetcher(outer) as fetcher:
        fetched = await fetcher.fetch(url.format(plain, urlsafe, escaped), tmp_path / "file")
    assert fetched is not None
    assert (tmp_path / "file").read_bytes() == data
    assert fetched.md5 == hashlib.md5(data).hexdigest()  # noqa: S324
    assert not outer.request_counts


@pytest.mark.parametrize("url", ["data:", "data:image/png;base64", "data:;base64,a", "data:;base64,é"])
async def test_a_malformed_data_url_is_no_image(outer: PhotoServer, tmp_path: Path, url: str) -> None:
    async with opened_fetcher(outer) as fetcher:
        with pytest.raises(UrlNotAnImage):
            await fetcher.fetch(url, tmp_path / "file")


async def test_a_data_url_has_the_limit_of_an_upload(outer: PhotoServer, tmp_path: Path) -> None:
    async with opened_fetcher(outer) as fetcher:
        assert await fetcher.fetch("data:," + "a" * LIMITS.max_data_bytes, tmp_path / "file")
        with pytest.raises(UrlTooLarge):
            await fetcher.fetch("data:," + "a" * (LIMITS.max_data_bytes + 1), tmp_path / "file")


async def test_a_port_that_is_not_listed_is_refused(outer: PhotoServer, tmp_path: Path) -> None:
    async with Fetcher(Guard(ports=[80], allow_networks=[ALLOWED]), LIMITS) as fetcher:
        with pytest.raises(UrlForbidden):
            await fetcher.fetch(outer.url("/a.jpg"), tmp_path / "file")
    assert not outer.request_counts
