"""The frame of the console: the way in, the login and its end, two tabs, keys."""

import re
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.console.support import Console, sign_in
from tests.support.client import PASSWORD

pytestmark = pytest.mark.services  # `make services` brings the browser


@pytest.fixture(scope="module")
def console_settings() -> dict[str, str]:
    """Access tokens of a life so short that the console renews them before each request."""
    return {"ACCESS_TOKEN_S": "20"}


def place(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Console").get_by_role("link", name=name)


async def requested(context: BrowserContext, url: str) -> list[str]:
    """The hosts that the pages of a context ask, while they are loaded once more."""
    hosts: set[str] = set()
    context.on("request", lambda request: hosts.add(re.sub(r"^(\w+://[^/]+).*", r"\1", request.url)))
    page = await context.new_page()
    await page.goto(url)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.close()
    return sorted(hosts)


async def test_the_front_door_leads_to_the_console_and_nothing_comes_from_elsewhere(console: Console) -> None:
    page = console.page
    await page.goto(console.client.site.url)
    await expect(page.get_by_text("all parts answer")).to_be_visible()
    await console.photographed("front")
    await page.get_by_role("link", name="Open the console").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Library")
    for path in ("/", "/console/library"):
        assert await requested(console.context, console.client.site.url + path) == [console.client.site.url]


async def test_each_place_of_the_navigation_shows_its_view_and_back_returns(console: Console) -> None:
    page = console.page
    for name in ("Pipeline", "Jobs", "Account", "Library"):
        await place(page, name).click()
        await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        await expect(page).to_have_url(f"{console.url}/{name.lower()}")
    await page.go_back()
    await expect(page.get_by_role("heading", level=1, name="Account")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", level=1, name="Account")).to_be_visible()
    await console.open("/nowhere")
    await expect(page.get_by_text("There is nothing at this address.")).to_be_visible()


async def test_somebody_registers_and_a_wrong_password_is_explained(console: Console) -> None:
    page = console.page
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await console.photographed("sign-in")
    await page.get_by_label("Username").fill(console.client.username)
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text(re.compile("password", re.IGNORECASE))
    await page.get_by_role("link", name="Register").click()
    await page.get_by_label("Username").fill(f"{console.client.username}-2")
    await page.get_by_label("Email").fill(f"2-{console.client.email}")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Register").click()
    await expect(page.get_by_title(f"{console.client.username}-2")).to_be_visible()


async def test_a_login_that_ends_in_mid_work_is_asked_for_and_the_work_goes_on(
    console: Console, photo: Path
) -> None:
    page, client = console.page, console.client
    for name in ("one.jpg", "two.jpg"):
        await client.upload(photo, filename=name)
    await page.reload()
    await page.locator(".tile", has_text="one.jpg").get_by_role("checkbox").click()
    changed = await client.post(
        "/accounts/me/password", json={"old_password": PASSWORD, "new_password": f"{PASSWORD} 2"}
    )
    assert changed.status in (200, 204), changed
    await page.get_by_role("button", name="Keep").click()
    dialog = page.get_by_role("dialog", name="Your login has ended")
    await expect(dialog).to_be_visible()
    await console.photographed("sign-in-again")
    await dialog.get_by_label("Password").fill(f"{PASSWORD} 2")
    await dialog.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("1 image kept")).to_be_visible()
    await expect(page.get_by_role("toolbar")).to_contain_text("1 selected")


async def test_two_tabs_share_one_login_and_end_it_together(console: Console) -> None:
    first = console.page
    second = await console.context.new_page()
    await second.goto(f"{console.url}/library")
    for _ in range(4):  # each renews the login, which would end if both used one token
        for page in (first, second):
            await place(page, "Library").click()
            await page.get_by_label("Order").select_option(label="Largest first")
        await first.reload()
        await second.reload()
    for page in (first, second):
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Library")
    await second.get_by_role("button", name="Sign out").click()
    for page in (first, second):
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await sign_in(first, console.client.username)


async def test_keys_are_explained_and_the_dialog_gives_the_focus_back(console: Console) -> None:
    page = console.page
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Library")
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    await expect(dialog).to_be_visible()
    await console.photographed("keys")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
