"""The page at /schema, in a real browser: an upload can be tried out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.test_admin_pages import PATIENCE_MS
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE

pytestmark = [ON_ONE_SITE, pytest.mark.services]  # `make services` brings the browser

UPLOAD = "#operations-Images-uploadImage"


@pytest.fixture
async def page(client: Client, chromium: Browser) -> AsyncIterator[Page]:
    """The page, with the token of an account."""
    context = await chromium.new_context()
    try:
        opened = await context.new_page()
        opened.set_default_timeout(PATIENCE_MS)
        await opened.goto(f"{client.site.url}/schema")
        await opened.click("button.authorize")
        await opened.locator(".auth-container input").first.fill(client.token or "")
        await opened.locator(".auth-btn-wrapper button.authorize").first.click()
        await opened.click("button.btn-done")
        await opened.click(f"{UPLOAD} .opblock-summary-control")
        await opened.click(f"{UPLOAD} button.try-out__btn")
        yield opened
    finally:
        await context.close()


async def executed(page: Page) -> tuple[int, dict[str, object]]:
    """The answer to what the page sends."""
    async with page.expect_response(lambda answer: answer.url.endswith("/api/images")) as answered:
        await page.click(f"{UPLOAD} button.execute")
    answer = await answered.value
    return answer.status, await answer.json()


async def test_an_upload_is_tried_out_with_a_file_and_nothing_else_and_then_with_operations(
    page: Page, photo: Path
) -> None:
    files = page.locator(f"{UPLOAD} input[type=file]")
    assert await files.count() == 2  # the image and the mask; operations are text
    await files.first.set_input_files(photo)
    status, image = await executed(page)
    assert (status, image["filename"], image["retention"]) == (201, "rocket.jpg", "keep")

    operations = page.locator(f"{UPLOAD} tr[data-property-name=operations] input[type=text]")
    await operations.fill('[{"op": "resize", "width": 64}]')
    status, image = await executed(page)
    assert (status, image["filename"], image["retention"]) == (202, "rocket.jpg", "ephemeral")
