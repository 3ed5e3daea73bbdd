"""The frame of the console: the way in, navigation, the login."""

import pytest
from playwright.async_api import expect

from tests.console.support import Console

pytestmark = pytest.mark.services  # `make services` brings the browser


async def test_each_place_of_the_navigation_shows_its_view(console: Console) -> None:
    page = console.page
    for name in ("Library", "Pipeline", "Jobs", "Account"):
        await page.get_by_role("navigation", name="Console").get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
