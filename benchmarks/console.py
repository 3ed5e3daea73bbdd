"""Measure the console in Chromium: first load, a library of thousands of images, preview of a pipeline.

Chromium draws in software here. Each figure is the median of several loads or the whole of one scroll.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import skimage
from playwright.async_api import Browser, Page, async_playwright, expect
from rich.console import Console as Terminal
from rich.table import Table

from infra.local import tools
from tests.console.many_images import SCROLL, multiply
from tests.console.support import opened
from tests.console.unwatched_page import unwatched_library
from tests.support.browser import FLAGS
from tests.support.client import Client
from tests.support.shared_sites import signed_in
from tests.support.site import running_site

LOADS = 7
IMAGES = 10_000
PREVIEWS = 15
REST_S = 10
MB = 1e6
TRANSFERRED = """() => ["resource", "navigation"].flatMap(kind => performance.getEntriesByType(kind))
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""


async def first_loads(chromium: Browser, client: Client) -> tuple[list[float], int]:
    """Return the times from a cold cache to the form that signs in, in ms, and the bytes of one load."""
    times: list[float] = []
    transferred = 0
    for _ in range(LOADS):
        context = await chromium.new_context(viewport={"width": 1280, "height": 860})
        page = await context.new_page()
        began = time.perf_counter()
        await page.goto(f"{client.site.url}/console/")
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        times.append(1000 * (time.perf_counter() - began))
        transferred = await page.evaluate(TRANSFERRED)
        await context.close()
    return times, transferred


async def library_loads(page: Page) -> list[float]:
    """Return the times from a reload, with a warm cache, to the first thumbnails, in ms."""
    times: list[float] = []
    for _ in range(LOADS):
        began = time.perf_counter()
        await page.reload()
        await page.locator(".tile canvas.loaded").first.wait_for()
        times.append(1000 * (time.perf_counter() - began))
    return times


async def previews(page: Page) -> list[float]:
    """Move a slider of the pipeline; return the times until its preview is answered, in ms."""
    times: list[float] = []
    slider = page.get_by_role("slider").first
    await slider.focus()
    for _ in range(PREVIEWS):
        began = time.perf_counter()
        async with page.expect_response(lambda answer: answer.url.endswith("/preview")):
            await page.keyboard.press("ArrowRight")
        times.append(1000 * (time.perf_counter() - began))
    return times


async def scrolled_memory(client: Client) -> tuple[float, float]:
    """Scroll through the library; return the memory of the page right after, and after a while, in MB."""
    async with unwatched_library(client) as page:
        await page.evaluate(f"({SCROLL})()")
        at_once = page.memory_bytes() / MB
        await asyncio.sleep(REST_S)
        return at_once, page.memory_bytes() / MB


async def measured(chromium: Browser, client: Client) -> list[tuple[str, str]]:
    photo = Path(skimage.__file__).parent / "data" / "rocket.jpg"
    cold, transferred = await first_loads(chromium, client)
    image = (await client.upload(photo)).json
    await client.until_hashed(image["id"])
    async with opened(chromium, client) as console:
        page = await console.open(f"/pipeline?image={image['id']}")
        search = page.get_by_role("searchbox", name="Search operations")
        await search.fill("Blur")
        await search.press("Enter")
        shown = await previews(page)
        await multiply(client, image, IMAGES - 1)
        await console.open("/library")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(f"{IMAGES:,} images")
        warm = await library_loads(page)
        scrolled: dict[str, Any] = await page.evaluate(SCROLL)
    at_once, later = await scrolled_memory(client)
    return [
        ("first load, cold cache", f"{statistics.median(cold):.0f} ms, {transferred / 1000:.0f} kB"),
        (f"library of {IMAGES:,} to its first thumbnails", f"{statistics.median(warm):.0f} ms"),
        ("scrolled through it", f"{scrolled['fps']:.0f} frames a second, p95 {scrolled['p95_ms']:.0f} ms"),
        ("drawn at most", f"{scrolled['drawn']} tiles, {scrolled['nodes']} nodes"),
        ("memory of the page after it", f"{at_once:.0f} MB, {REST_S} s later {later:.0f} MB"),
        ("its JavaScript heap", f"{scrolled['heap'] / MB:.0f} MB"),
        ("preview of a photograph of 640 x 427", f"{statistics.median(shown):.0f} ms"),
    ]


async def main() -> None:
    path = tools.BROWSER.find()
    assert path, tools.BROWSER.advice
    with tempfile.TemporaryDirectory() as folder:
        async with (
            async_playwright() as playwright,
            running_site("embedded", Path(folder)) as site,
            signed_in(site) as client,
        ):
            chromium = await playwright.chromium.launch(executable_path=path, args=FLAGS)
            figures = await measured(chromium, client)
            await chromium.close()
    table = Table("Console", "measured")
    for figure in figures:
        table.add_row(*figure)
    Terminal().print(table)


if __name__ == "__main__":
    asyncio.run(main())
