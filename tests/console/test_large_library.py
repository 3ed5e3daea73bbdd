"""A library of thousands of images in the console."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.console.many_images import SCROLL, multiply
from tests.console.support import Console
from tests.console.unwatched_page import unwatched_library

pytestmark = pytest.mark.services  # `make services` brings the browser

IMAGES = 2000
DRAWN_TILES = 200
MEMORY_BYTES = 150_000_000


async def test_two_thousand_images_scroll_with_few_of_them_drawn_and_in_little_memory(
    console: Console, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = console.page
    made = (await console.client.upload(photo)).json
    await console.client.until_hashed(made["id"])
    await multiply(console.client, made, IMAGES - 1)
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("2,000 images")
    await expect(page.locator(".tile canvas.loaded")).not_to_have_count(0)
    found: dict[str, Any] = await page.evaluate(SCROLL)
    with capsys.disabled():
        print("\n", json.dumps(found, indent=None))  # noqa: T201 - how smooth it is on this machine
    assert found["drawn"] < DRAWN_TILES
    assert found["nodes"] < 20 * DRAWN_TILES
    await expect(page.locator(".tile", has_text="rocket.jpg")).to_be_visible()  # the oldest is the last
    await page.keyboard.press("Home")
    await expect(page.locator(".tile .name").first).to_have_text("many-1999.jpg")
    await expect(page.locator(".tile a").first).to_be_focused()

    async with unwatched_library(console.client) as unwatched:
        await unwatched.evaluate(f"({SCROLL})()")
        memory = unwatched.memory_bytes()
        assert await unwatched.alive("HTMLCanvasElement") < DRAWN_TILES  # nothing keeps tiles that are gone
    with capsys.disabled():
        print(f" {memory / 1e6:.0f} MB")  # noqa: T201
    assert memory < MEMORY_BYTES
