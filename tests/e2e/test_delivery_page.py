"""A page in a real browser chooses width and format, and a cache in front gives each client its own."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ViewportSize

from tests.support.addresses import fetched, signed
from tests.support.client import Client
from tests.support.documents import blocks
from tests.support.ports import free_port
from tests.support.proxies import running_nginx
from tests.support.shared_sites import ON_ONE_SITE

pytestmark = pytest.mark.services  # `make services` brings the browser and nginx too

BROWSER_ACCEPT = "image/avif,image/webp,image/apng,*/*;q=0.8"


@pytest.fixture(scope="session")
async def image(shared_client: Client, large_photo: Path) -> dict[str, Any]:
    return (await shared_client.upload(large_photo)).json


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("viewport", "scale", "width"), [((320, 600), 1, 640), ((320, 600), 2, 640), ((700, 600), 2, 1920)]
)
async def test_the_browser_chooses_the_width_of_a_srcset_and_the_format_of_a_picture(
    chromium: Browser,
    shared_client: Client,
    image: dict[str, Any],
    viewport: tuple[int, int],
    scale: int,
    width: int,
) -> None:
    address = shared_client.site.url + signed("w_1920", image["id"])
    widths = (640, 1080, 1920)

    def sources(extension: str) -> str:
        return ", ".join(f"{address}.{extension}?w={width} {width}w" for width in widths)

    page_text = f"""<!doctype html><meta name=viewport content="width=device-width">
    <picture><source type="image/nonsense" srcset="{sources("png")}" sizes="100vw">
    <source type="image/webp" srcset="{sources("webp")}" sizes="100vw">
    <img id=chosen src="{address}.jpg" srcset="{sources("jpg")}" sizes="100vw"></picture>
    <img id=negotiated src="{address}?w=64">"""
    size = ViewportSize(width=viewport[0], height=viewport[1])
    async with await chromium.new_context(viewport=size, device_scale_factor=scale) as context:
        page = await context.new_page()
        types: dict[str, str] = {}
        page.on("response", lambda answer: types.update({answer.url: answer.headers["content-type"]}))
        await page.set_content(page_text, wait_until="networkidle")
        chosen = await page.evaluate("document.getElementById('chosen').currentSrc")
        natural = await page.evaluate("document.getElementById('negotiated').naturalWidth")
    assert chosen == f"{address}.webp?w={width}"
    assert types[chosen] == "image/webp"
    assert (natural, types[f"{address}?w=64"]) == (64, "image/avif")


@asynccontextmanager
async def nginx(upstream: str, folder: Path) -> AsyncGenerator[str]:
    """Run nginx with the configuration of docs/delivery.md in front of a site; give its address."""
    port = free_port()
    (shown,) = (block.text for block in blocks("docs/delivery.md") if block.info == "nginx")
    changes = {
        "/var/cache/nginx/darkroom": str(folder / "cache"),
        "listen 80;": f"listen 127.0.0.1:{port};",
        "http://127.0.0.1:8000": upstream,
    }
    for text, ours in changes.items():
        assert text in shown
        shown = shown.replace(text, ours)
    async with running_nginx(shown, folder, f"http://127.0.0.1:{port}/t/") as url:
        yield url.removesuffix("/t/")


@pytest.fixture
async def cache(shared_client: Client, tmp_path: Path) -> AsyncIterator[str]:
    async with nginx(shared_client.site.url, tmp_path) as url:
        yield url


@ON_ONE_SITE
async def test_nginx_keeps_one_entry_for_clients_that_take_the_same_formats(
    shared_client: Client, image: dict[str, Any], cache: str
) -> None:
    path = f"{signed('w_300', image['id'])}~{image['md5'][:8]}"

    async def ask(accept: str) -> tuple[str, str]:
        answer = await fetched(shared_client, path, url=cache, headers={"Accept": accept})
        assert answer.status == 200, answer
        assert answer.headers["Vary"] == "Accept"
        return answer.headers["Content-Type"], answer.headers["X-Cache"]

    assert await ask(BROWSER_ACCEPT) == ("image/avif", "MISS")
    assert await ask("*/*") == ("image/jpeg", "MISS")
    assert await ask("image/webp,*/*") == ("image/webp", "MISS")
    assert await ask("image/avif,image/webp,image/png,*/*;q=0.5") == ("image/avif", "HIT")
    assert await ask("image/png") == ("image/jpeg", "HIT")
    assert await ask("image/webp") == ("image/webp", "HIT")


@ON_ONE_SITE
async def test_nginx_passes_addresses_on_as_they_are_and_keeps_no_error_for_long(
    shared_client: Client, image: dict[str, Any], cache: str
) -> None:
    text = signed("w_300:watermark,text_a%2Cb%3A%2F%2B", image["id"])
    assert (await fetched(shared_client, text, url=cache)).status == 200
    wrong = await fetched(shared_client, text.replace("w_300", "w_301"), url=cache)
    assert (wrong.status, wrong.code) == (403, "address_signature_invalid")
    assert wrong.headers["Cache-Control"] == "public, max-age=10"
