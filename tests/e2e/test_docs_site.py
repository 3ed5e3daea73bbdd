"""The site of the documents in a browser without a network."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from docs.generate.site import build
from tests.console.accessibility import serious_faults
from tests.console.support import PATIENCE_MS

pytestmark = pytest.mark.services  # `make services` brings the browser

SHOWN = "[...document.images].every(one => one.complete && one.naturalWidth > 0)"


async def test_the_site_opens_from_a_folder_searches_turns_dark_and_fits_a_telephone(
    tmp_path: Path, chromium: Browser
) -> None:
    site = build(tmp_path / "site")
    async with await chromium.new_context(color_scheme="light") as context:
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))

        await page.goto((site / "index.html").as_uri())
        await page.keyboard.press("Control+k")
        await page.keyboard.type("lease lapses")
        found = page.get_by_role("link", name="Why the row is the truth").or_(
            page.get_by_role("link", name="Jobs")
        )
        await expect(found.first).to_be_visible()
        await page.keyboard.press("Escape")

        await page.goto((site / "architecture.html").as_uri())
        await page.wait_for_function(SHOWN)
        await page.locator("label[title='Switch to dark mode']").click()
        await expect(page.locator("[data-md-color-scheme=slate]").first).to_be_attached()

        for scheme in ("slate", "default"):
            assert await serious_faults(page) == [], scheme
            await page.locator("label[title^='Switch to']:visible").click()
        await page.set_viewport_size({"width": 390, "height": 844})
        for name in ("architecture", "api", "operations", "tutorial"):
            await page.goto((site / f"{name}.html").as_uri())
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390, name
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
