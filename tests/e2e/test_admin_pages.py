"""The admin pages as an operator sees them, in a real browser."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Struct
from playwright.async_api import Page, async_playwright, expect

from infra.local import tools
from tests.support.client import PASSWORD, Client
from tests.support.shared_sites import NewSite
from tests.support.site import Site
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.services  # `make services` brings the browser too

EMBEDDED = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OPERATOR = "root"
SIZE = {"width": 1400, "height": 860}
TOO_LARGE = {"op": "crop", "x": 9, "y": 9, "width": 3000, "height": 3000}
ALL_LOADED = "all => all.length > 0 && all.every(one => one.complete && one.naturalWidth > 0)"
PATIENCE_MS = 1000 * WAIT_S


class Operated(Struct, frozen=True):
    """A site with something to look at."""

    site: Site
    client: Client


@pytest.fixture
async def operated(new_site: NewSite, photos: Path) -> AsyncIterator[Operated]:
    """Photographs, a result, and a job that failed."""
    site = await new_site()
    await site.run("create-admin", "--username", OPERATOR, "--password", PASSWORD)
    async with Client(site) as client:
        client.username = "ada"
        await client.register()
        await client.login()
        for name in ("coffee.png", "chelsea.png", "astronaut.png"):
            assert (await client.upload(photos / name, wait_s=60)).status == 201
        steps = [{"op": "resize", "width": 320}, {"op": "sepia"}, {"op": "convert", "format": "webp"}]
        assert (await client.upload(photos / "rocket.jpg", steps, wait_s=60)).status == 201
        failed = await client.upload(photos / "rocket.jpg", [TOO_LARGE])
        assert (await client.job_done(failed.json["job_id"]))["status"] == "failed"
        yield Operated(site, client)


@pytest.fixture
async def page(operated: Operated) -> AsyncIterator[Page]:
    """The start page, after the login."""
    path = tools.BROWSER.find()
    assert path, tools.BROWSER.advice
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            opened = await chromium.new_page(viewport=SIZE)  # pyright: ignore[reportArgumentType] - a dict of two
            opened.set_default_timeout(PATIENCE_MS)
            expect.set_options(timeout=PATIENCE_MS)
            await opened.goto(f"{operated.site.url}/admin")
            await opened.fill("input[name=username]", OPERATOR)
            await opened.fill("input[name=password]", PASSWORD)
            await opened.keyboard.press("Enter")
            await opened.wait_for_selector("#overview .card")
            yield opened
        finally:
            await chromium.close()


async def kept(page: Page, directory: Path, name: str) -> None:
    """A screenshot; `SCREENSHOTS=docs/images` says where to keep it."""
    taken = directory / name
    await page.screenshot(path=taken, animations="disabled")
    assert taken.stat().st_size > 10_000
    if where := os.environ.get("SCREENSHOTS"):
        shutil.copy(taken, Path(where) / name)


async def card(page: Page, label: str) -> str:
    return await page.inner_text(f'[data-card="{label}"] strong')


@EMBEDDED
async def test_an_operator_sees_the_site_opens_a_picture_and_runs_a_failed_job_again(
    operated: Operated, page: Page, tmp_path: Path
) -> None:
    # The start page counts.
    assert (await card(page, "Images"), await card(page, "Failed in the last hour")) == ("6", "1")
    assert re.fullmatch(r"\d+(\.\d)? [kM]B", await card(page, "Storage used"))
    await expect(page.locator("#overview table").last).to_contain_text("crop_outside")
    await kept(page, tmp_path, "admin-start.png")

    # Every image of the list has a thumbnail that really loaded, and is no larger than one.
    await page.click('.table_list a[href="#/image/"]')
    await page.wait_for_function(f"({ALL_LOADED})([...document.querySelectorAll('.thumbnail img')])")
    sizes = await page.eval_on_selector_all(
        ".thumbnail img", "all => all.map(one => [one.naturalWidth, one.naturalHeight])"
    )
    assert len(sizes) == 6
    assert max(map(max, sizes)) == 400
    await kept(page, tmp_path, "admin-images.png")

    # One opens in full size.
    await page.locator("tr", has_text="coffee.png").locator(".thumbnail").click()
    await page.wait_for_function(f"({ALL_LOADED})([...document.querySelectorAll('#viewer img')])")
    assert await page.eval_on_selector("#viewer img", "one => one.naturalWidth") == 600
    await page.keyboard.press("Escape")
    await expect(page.locator("#viewer")).to_have_count(0)

    # The filters find the failed job.
    await page.click('.table_list a[href="#/job/"]')
    await expect(page.locator("[data-status=completed]").first).to_be_visible()
    await page.click("[data-uitest=filter_button]")
    await page.select_option("select[name=status]", "failed")
    await page.click(".filter_wrapper button:has-text('Apply')")
    await expect(page.locator("td[data-status]")).to_have_text(["Failed"])
    await page.click("#sidebar-close")
    await expect(page.locator("#loading_indicator")).to_be_hidden()
    await kept(page, tmp_path, "admin-jobs.png")

    # It runs again: a second attempt is counted.
    [job] = (await operated.client.get("/api/jobs?status=failed")).json
    assert job["attempts"] == 1
    async with page.expect_response(re.compile(r"/admin-api/jobs/.*/retry/")) as answered:
        await page.click("button.act:has-text('Retry')")
    assert (await answered.value).status == 200
    assert (await operated.client.job_done(job["id"]))["status"] == "failed"
    assert (await operated.client.get(f"/api/jobs/{job['id']}")).json["attempts"] == 2


@EMBEDDED
async def test_records_offer_nothing_that_would_change_them(page: Page) -> None:
    await page.click('.table_list a[href="#/job/"]')
    await expect(page.locator("[data-status=completed]").first).to_be_visible()
    await expect(page.locator(".buttons a:has-text('Add Row')")).to_be_hidden()
    await page.locator("a[data-short]").first.click()
    await page.wait_for_selector("form")
    await expect(page.locator("form button[type=submit]:visible")).to_have_count(0)
    await page.goto(page.url.split("#")[0] + "#/piccolo_user/")
    await expect(page.locator(".buttons a:has-text('Add Row')")).to_be_visible()


@EMBEDDED
async def test_images_that_are_ticked_are_deleted_with_their_files_at_once(
    operated: Operated, page: Page
) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    await page.click('.table_list a[href="#/image/"]')
    for name in ("coffee.png", "chelsea.png"):
        await page.locator("tr", has_text=name).locator("td input").check()
    async with page.expect_response(re.compile(r"/admin-api/images/delete/")) as answered:
        await page.click("#act-on-selected:has-text('Delete (2)')")
    assert await (await answered.value).json() == {"deleted": 2}
    left = {image["filename"] for image in (await operated.client.get("/api/images")).json}
    assert left == {"astronaut.png", "rocket.jpg", "rocket.webp"}
