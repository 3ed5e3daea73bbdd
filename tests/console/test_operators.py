"""The operators' pages of the console."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.console.accessibility import serious_faults
from tests.console.support import Console, opened
from tests.support.client import Client
from tests.support.operators import operator_of
from tests.support.shared_sites import signed_in
from tests.support.site import Site

pytestmark = pytest.mark.services  # `make services` brings the browser

EVIL = "<img src=x onerror=\"document.title='taken'\">"
TOO_LARGE = [{"op": "crop", "x": 0, "y": 0, "width": 9000, "height": 9000}]


@pytest.fixture
async def console(console_site: Site, chromium: Browser) -> AsyncIterator[Console]:
    """The console as an operator sees it; at the end, the page must not have complained."""
    async with operator_of(console_site) as client, opened(chromium, client) as console:
        yield console
        assert console.complaints == []


@pytest.fixture
async def client(console_site: Site) -> AsyncIterator[Client]:
    """An account of the site."""
    async with signed_in(console_site) as client:
        yield client


async def test_an_operator_sees_the_site_live_and_runs_a_failed_job_again(
    console: Console, client: Client, photo: Path
) -> None:
    page = await console.open("/library")
    await page.get_by_role("link", name="Operators").click()
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    failed = (await client.upload(photo, TOO_LARGE, filename=f"{EVIL}.jpg")).json["job_id"]
    await client.job_done(failed)
    code = page.get_by_role("link", name="crop_outside")
    await expect(code).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("operators-overview")

    await code.click()
    row = page.get_by_role("row").filter(has_text=client.username)
    await expect(row).to_contain_text("the crop")
    assert await serious_faults(page) == []
    await console.photographed("operators-jobs")
    await row.get_by_role("link", name="Transform").click()
    timeline = page.get_by_role("list").filter(has_text="Requested")
    await expect(timeline).to_contain_text("for attempt 1")
    await expect(timeline).to_contain_text("crop_outside")
    assert await serious_faults(page) == []
    await console.photographed("operators-job")
    await page.get_by_role("button", name="Retry").click()
    await expect(timeline).to_contain_text("Run again by a person")
    assert await page.title() != "taken"


async def test_an_account_that_is_no_operator_gets_no_entry_and_no_page(
    console_site: Site, chromium: Browser
) -> None:
    async with signed_in(console_site) as client, opened(chromium, client) as console:
        page = await console.open("/admin/overview")
        await expect(page.get_by_text("Only operators of this server see this.")).to_be_visible()
        await expect(page.get_by_role("link", name="Operators")).to_have_count(0)
