"""The library, searched by a file that is not stored."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import expect

from tests.console.accessibility import serious_faults
from tests.console.support import ON_BOTH, Console
from tests.console.transfers import dragged, paste
from tests.support.pictures import encoded
from tests.support.waiting import until

pytestmark = pytest.mark.services  # `make services` brings the browser


@pytest.fixture
def three(photos: Path) -> list[Path]:
    return [photos / name for name in ("rocket.jpg", "coffee.png", "chelsea.png")]


def half(file: Path) -> bytes:
    """Return the picture at half its size."""
    with Image.open(file) as image:
        return encoded(image.convert("RGB").reduce(2), "JPEG")


async def total(console: Console) -> int:
    return int((await console.client.get("/api/images?limit=1")).headers["X-Total-Count"])


@ON_BOTH
async def test_look_alikes_are_found_by_a_file_that_is_chosen_dropped_or_pasted_and_not_stored(
    console: Console, three: list[Path]
) -> None:
    page, client = console.page, console.client
    for number, file in enumerate(three):
        image = await client.upload(file, filename=f"{number}.jpg")
        await client.until_hashed(image.json["id"])
    given = {"name": "found.jpg", "mimeType": "image/jpeg", "buffer": half(three[1])}
    chooser = page.get_by_label("Picture to search with")
    await chooser.set_input_files([given])  # pyright: ignore[reportArgumentType] - a dict of its fields
    await expect(page.locator(".tile .name")).to_have_text(["1.png"])
    await expect(page.locator(".tile .badge")).to_have_text(re.compile("Same look|bits?"))
    await expect(page.get_by_role("button", name="look-alikes of found.jpg")).to_be_visible()
    await console.photographed("library-by-file")
    assert await serious_faults(page) == []

    transfer = await dragged(page, three[0], "zero.jpg")
    height = await page.evaluate("innerHeight")
    below = {"dataTransfer": transfer, "clientY": height - 10}
    await page.dispatch_event("body", "dragover", below)
    await expect(page.get_by_text("Drop to find look-alikes")).to_have_class("here")
    await console.photographed("library-drop")
    await page.dispatch_event("body", "drop", below)
    await expect(page.locator(".tile .name")).to_have_text(["0.jpg"])
    await expect(page.locator(".tile .badge")).to_have_text("Same look")
    await page.get_by_role("searchbox").fill("1.pn")  # another search, without the file
    await expect(page.locator(".tile .name")).to_have_text(["1.png"])
    await expect(page).to_have_url(f"{console.url}/library?filename=1.pn")
    await paste(page, transfer, into="input[type=search]")
    await expect(page.locator(".tile .name")).to_have_text(["0.jpg"])
    assert await total(console) == 3

    await page.reload()
    await expect(page.get_by_role("alert")).to_contain_text("Choose it again")
    text = {"name": "text.jpg", "mimeType": "image/jpeg", "buffer": b"this is no picture"}
    await chooser.set_input_files([text])  # pyright: ignore[reportArgumentType] - a dict of its fields
    await expect(page.get_by_role("log")).to_contain_text("no image")


async def test_a_search_by_a_file_whose_hash_takes_long_waits_for_it_and_keeps_nothing(
    console: Console, three: list[Path]
) -> None:
    image = await console.client.upload(three[0], filename="0.jpg")
    await console.client.until_hashed(image.json["id"])
    page = console.page
    await page.set_extra_http_headers({"Prefer": "wait=0"})
    async with page.expect_response(lambda answer: answer.url.endswith("/api/images/search")) as searched:
        await page.get_by_label("Picture to search with").set_input_files(three[0])
    assert (await searched.value).status == 202
    await expect(page.locator(".tile .name")).to_have_text(["0.jpg"])

    async def alone() -> bool:
        return await total(console) == 1

    await until(alone)
