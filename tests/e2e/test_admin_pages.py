"""The admin pages as an operator sees them, in a real browser."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Struct
from playwright.async_api import Browser, Page, expect

from tests.console.accessibility import serious_faults
from tests.console.support import SCHEMES
from tests.support.client import PASSWORD, Client
from tests.support.site import Site, running_site
from tests.support.waiting import WAIT_S, until

pytestmark = pytest.mark.services  # `make services` brings the browser too

OPERATOR = "root"
SIZE = {"width": 1400, "height": 860}
TOO_LARGE = {"op": "crop", "x": 9, "y": 9, "width": 3000, "height": 3000}
ALL_LOADED = "all => all.length > 0 && all.every(one => one.complete && one.naturalWidth > 0)"
ALL_IN_SIGHT = (
    "[...document.querySelectorAll('td[data-label], dd')]"
    ".every(one => one.getBoundingClientRect().right <= innerWidth)"
)
PATIENCE_MS = 1000 * WAIT_S


class Operated(Struct, frozen=True):
    """A site with something to look at."""

    site: Site
    client: Client


@pytest.fixture(scope="module")
async def operated(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> AsyncIterator[Operated]:
    """Photographs, a result, a job that failed, and a webhook."""
    async with running_site("embedded", tmp_path_factory.mktemp("operated")) as site, Client(site) as client:
        await site.run("create-admin", "--username", OPERATOR, "--password", PASSWORD)
        client.username = "ada"
        await client.register()
        await client.login()
        for name in ("coffee.png", "chelsea.png", "astronaut.png"):
            assert (await client.upload(photos / name, wait_s=60)).status == 201
        steps = [{"op": "resize", "width": 320}, {"op": "sepia"}, {"op": "convert", "format": "webp"}]
        assert (await client.upload(photos / "rocket.jpg", steps, wait_s=60)).status == 201
        failed = await client.upload(photos / "rocket.jpg", [TOO_LARGE])
        assert (await client.job_done(failed.json["job_id"]))["status"] == "failed"
        endpoint = {"url": "https://example.org/hook", "events": ["batch.completed"]}
        assert (await client.post("/api/webhooks", json=endpoint)).status == 201
        yield Operated(site, client)


@pytest.fixture
async def page(operated: Operated, chromium: Browser) -> AsyncIterator[Page]:
    """The start page, after the login."""
    context = await chromium.new_context(viewport=SIZE)  # pyright: ignore[reportArgumentType] - a dict of two
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    await opened.goto(f"{operated.site.url}/admin")
    await opened.fill("input[name=username]", OPERATOR)
    await opened.fill("input[name=password]", PASSWORD)
    await opened.keyboard.press("Enter")
    await opened.wait_for_selector("#overview .card")
    yield opened
    await context.close()
    assert errors == []


async def row(page: Page, table: str, text: str = "") -> None:
    """Open the page of a row of a list."""
    await listed(page, table)
    await page.locator(".table_wrapper tbody tr", has_text=text).first.locator("a[data-short]").click()
    await page.wait_for_selector("#record" if table in ("image", "job") else "[data-uitest=save_button]")


async def listed(page: Page, table: str) -> None:
    await page.goto(page.url.split("#")[0] + f"#/{table}/")
    await page.wait_for_selector(f"body[data-table={table}] td[data-label] a[data-short]")


async def kept(page: Page, directory: Path, name: str) -> None:
    """A screenshot; `SCREENSHOTS=docs/images` says where to keep it."""
    taken = directory / name
    await page.screenshot(path=taken, animations="disabled")
    assert taken.stat().st_size > 10_000
    if where := os.environ.get("SCREENSHOTS"):
        shutil.copy(taken, Path(where) / name)


async def card(page: Page, label: str) -> str:
    return await page.inner_text(f'[data-card="{label}"] strong')


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


async def test_a_record_offers_nothing_that_the_server_would_refuse(page: Page) -> None:
    refused = page.locator(
        "[data-uitest=save_button], form, .header [data-uitest=drop_down_button],"
        ".buttons a:has-text('Add'), .buttons a:has-text('Update'), .buttons a:has-text('Delete')"
    ).locator("visible=true")
    for table in ("image", "job", "refresh_token"):
        await listed(page, table)
        await until(lambda: ticked(page))
        await expect(refused).to_have_count(0)
        await page.locator("a[data-short]").first.click()
        await expect(page.locator("#record")).to_be_visible()
        await expect(refused).to_have_count(0)
    await listed(page, "piccolo_user")
    await expect(page.locator(".buttons a:has-text('Add Row')")).to_be_visible()


async def ticked(page: Page) -> bool:
    """Select the first row, which is forgotten whenever Piccolo loads the rows again."""
    await page.locator(".table_wrapper tbody td input").first.check()
    return await page.locator(".buttons a:has-text('Update')").count() == 1


async def test_what_an_operator_may_change_is_saved(operated: Operated, page: Page) -> None:
    saved = re.compile(r"/api/tables/(webhook_endpoint|piccolo_user)/")
    await row(page, "webhook_endpoint")
    await expect(page.locator("form [name=owner]")).to_be_disabled()
    await page.fill("form [name=url]", "https://example.org/moved")
    async with page.expect_response(saved) as answered:
        await page.click("[data-uitest=save_button]")
    assert (await answered.value).status == 200
    assert [hook["url"] for hook in (await operated.client.get("/api/webhooks")).json] == [
        "https://example.org/moved"
    ]

    await row(page, "piccolo_user", "ada")
    await expect(page.locator("form [name=last_login]")).to_be_disabled()
    await page.fill("form [name=first_name]", "Ada")
    async with page.expect_response(saved) as answered:
        await page.click("[data-uitest=save_button]")
    assert (await answered.value).status == 200


async def test_values_are_shown_as_people_read_them(operated: Operated, page: Page) -> None:
    [image] = (await operated.client.get("/api/images?filename=coffee.png")).json
    image = (await operated.client.get(f"/api/images/{image['id']}")).json
    await listed(page, "image")
    heads = await page.locator("thead th").all_inner_texts()
    assert [head.strip().lower() for head in heads if head.strip()] == (
        ["file", "owner", "filename", "status", "format", "width", "height", "size", "created", "id"]
    )
    cells = page.locator(".table_wrapper tbody tr", has_text="coffee.png")
    assert await cells.locator("[data-label=Size] .readable").inner_text() == "467 kB"
    await row(page, "image", "coffee.png")
    shown = page.locator("#record dd")
    assert re.fullmatch("[0-9a-f]{16}", image["phash"])
    await expect(page.locator("[data-column=phash]")).to_have_text(image["phash"])
    await expect(page.locator("[data-column=size_bytes] span")).to_have_attribute(
        "title", f"{image['size_bytes']} bytes"
    )
    created = page.locator("[data-column=created_at] time")
    assert re.fullmatch(r"now|\d+ (second|minute)s? ago", await created.inner_text())
    assert (await created.get_attribute("title") or "")[:23] == image["created_at"][:23]
    assert "NULL" not in await shown.all_inner_texts()


async def test_every_page_is_readable_in_both_modes_and_on_a_telephone(page: Page) -> None:
    for scheme in SCHEMES:
        await page.evaluate(f"localStorage.setItem('darkMode', '{str(scheme == 'dark').lower()}')")
        await page.reload()
        for width in (390, 1600):
            await page.set_viewport_size({"width": width, "height": 844})
            await page.goto(page.url.split("#")[0] + "#/")
            await page.wait_for_selector(f".{scheme}_mode #overview .card")
            await checked(page, width)
            for table in ("image", "job", "webhook_endpoint"):
                await listed(page, table)
                await checked(page, width)
            for table in ("image", "webhook_endpoint"):
                await row(page, table)
                await checked(page, width)


async def checked(page: Page, width: int) -> None:
    assert await serious_faults(page) == []  # the contrast of all text among them
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.evaluate(ALL_IN_SIGHT)


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
