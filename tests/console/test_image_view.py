"""The view of one image."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Locator, Page, expect

from tests.console.support import ON_BOTH, Console, uploaded
from tests.support.addresses import fetched
from tests.support.waiting import until

pytestmark = pytest.mark.services  # `make services` brings the browser

ARTIST = 0x013B  # an EXIF tag
SEPIA = [{"op": "resize", "width": 320}, {"op": "sepia"}]


async def transformed(console: Console, image_id: str, operations: list[dict[str, Any]]) -> str:
    """The id of a result."""
    job = await console.client.post(
        f"/api/images/{image_id}/transform",
        json={"operations": operations, "retention": "keep"},
        headers={"Prefer": "wait=60"},
    )
    return job.json["result_id"]


async def opened_tab(page: Page, name: str) -> Locator:
    await page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel", name=name)


@ON_BOTH
async def test_an_image_is_shown_large_with_what_is_known_of_it_and_zooms(
    console: Console, photo: Path
) -> None:
    image = await uploaded(console, photo)
    await console.client.call(
        "PATCH", f"/api/images/{image['id']}", json={"filename": "A <img src=x onerror=alert(1)>.jpg"}
    )
    page = await console.open(f"/images/{image['id']}")
    await expect(
        page.get_by_role("heading", level=1, name="A <img src=x onerror=alert(1)>.jpg")
    ).to_be_visible()
    panel = page.get_by_role("tabpanel", name="Details")
    await expect(panel).to_contain_text(image["md5"])
    await expect(panel).to_contain_text(re.compile("640 . 427 px"))
    await expect(panel).to_contain_text("Until you delete it.")
    metadata = (await console.client.get(f"/api/images/{image['id']}/metadata")).json
    await expect(panel).to_contain_text(metadata["sha256"])
    picture = page.get_by_role("img", name="A <img src=x onerror=alert(1)>.jpg")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("element => element.naturalWidth") == 640
    stage = page.get_by_role("group", name=re.compile("^Picture"))
    await stage.focus()
    before = (await picture.bounding_box() or {})["width"]
    await page.keyboard.press("+")
    await page.keyboard.press("+")
    await expect(page.get_by_role("button", name="Fit")).to_have_text("156 %")
    assert (await picture.bounding_box() or {})["width"] == pytest.approx(before * 1.5625, rel=0.01)
    await page.keyboard.press("0")
    await expect(page.get_by_role("button", name="Fit")).to_have_text("100 %")
    assert (await console.client.get(f"/api/images/{image['id']}")).json["first_downloaded_at"] is None
    await console.photographed("image-details")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download").click()
    assert Path(await (await download.value).path()).read_bytes() == photo.read_bytes()


async def test_hostile_metadata_is_shown_as_text_and_an_image_that_expires_says_why_and_is_kept(
    console: Console, photo: Path
) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    with Image.open(photo) as picture:
        exif, file = picture.getexif(), BytesIO()
        exif[ARTIST] = hostile
        picture.save(file, "JPEG", exif=exif)
    image = await uploaded(console, file.getvalue(), retention="ephemeral")
    page = await console.open(f"/images/{image['id']}")
    panel = page.get_by_role("tabpanel", name="Details")
    await expect(panel.get_by_text(hostile)).to_be_visible()
    await expect(panel).to_contain_text("24 hours after it was made, because it is ephemeral")
    await panel.get_by_role("button", name="Keep it").click()
    await expect(panel).to_contain_text("Until you delete it.")
    await panel.get_by_role("button", name="Change name and tags").click()
    await page.get_by_role("textbox", name="Name").fill("Evening.jpg")
    await page.get_by_role("textbox", name="Tags").fill("rocket,  night ,")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1, name="Evening.jpg")).to_be_visible()
    stored = (await console.client.get(f"/api/images/{image['id']}")).json
    assert (stored["retention"], {*stored["tags"]}, stored["public"]) == ("keep", {"night", "rocket"}, False)


async def test_a_click_sets_the_focal_point_and_arrow_keys_move_it(console: Console, photo: Path) -> None:
    image = await uploaded(console, photo)
    page = await console.open(f"/images/{image['id']}")
    picture = page.get_by_role("img", name="rocket.jpg")
    await expect(picture).to_be_visible()
    await page.get_by_role("button", name="Set the focal point").click()
    box = await picture.bounding_box()
    assert box
    await page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])

    async def focus() -> dict[str, float]:
        return (await console.client.get(f"/api/images/{image['id']}")).json["focus"]

    first = await until(focus)
    assert (first["x"], first["y"]) == pytest.approx((0.25, 0.75), abs=0.01)
    await page.get_by_role("group", name=re.compile("^Picture")).focus()
    await page.keyboard.press("ArrowRight")

    async def moved() -> bool:
        return (await focus())["x"] > first["x"] + 0.005

    await until(moved)
    await console.photographed("image-focus")
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("button", name="Remove it").click()
    await expect(page.get_by_role("button", name="Set the focal point")).to_be_visible()
    assert await focus() is None


async def test_the_history_leads_from_results_to_sources_and_compares_them(
    console: Console, photo: Path
) -> None:
    image = await uploaded(console, photo)
    result = await transformed(console, image["id"], SEPIA)
    page = await console.open(f"/images/{image['id']}")
    panel = await opened_tab(page, "History")
    await expect(panel).to_contain_text("resize, sepia")
    await panel.get_by_role("button", name="Compare").click()
    slider = page.get_by_role("slider", name="How much of the picture is before")
    await expect(slider).to_have_value("50")
    after = page.get_by_role("img", name=re.compile("^After"))
    await slider.focus()
    for _ in range(10):
        await page.keyboard.press("ArrowRight")
    await expect(after).to_have_css("clip-path", "inset(0px 0px 0px 60%)")
    await console.photographed("image-compare")
    await page.get_by_role("button", name="End comparison").click()
    await panel.get_by_role("link", name="rocket.jpg").last.click()
    await expect(page).to_have_url(f"{console.url}/images/{result}")
    panel = await opened_tab(page, "History")
    await expect(panel.get_by_role("heading", name="Made from")).to_be_visible()
    await console.photographed("image-history")


async def test_look_alikes_links_and_addresses_of_an_image(console: Console, photo: Path) -> None:
    image = await uploaded(console, photo)
    alike = await transformed(console, image["id"], SEPIA)
    for one in (image["id"], alike):
        await console.client.until_hashed(one)
    page = await console.open(f"/images/{image['id']}")
    panel = await opened_tab(page, "Look-alikes")
    await expect(panel.get_by_role("link", name=re.compile("bits differ"))).to_have_count(1)
    await console.photographed("image-alike")
    panel = await opened_tab(page, "Addresses")
    await panel.get_by_role("button", name="Make a link").click()
    link = await panel.get_by_label(re.compile("^Opens without signing in")).inner_text()
    opened = await fetched(console.client, link.removeprefix(console.client.site.url))
    assert opened.body == photo.read_bytes()
    await panel.get_by_label("Steps", exact=True).fill("w_200:sepia")
    await panel.get_by_role("button", name="Make addresses").click()
    address = await panel.get_by_label("Address: the browser chooses the format", exact=True).inner_text()
    shown = await fetched(console.client, address.removeprefix(console.client.site.url))
    with Image.open(BytesIO(shown.body)) as picture:
        assert picture.width == 200
    await expect(panel.get_by_label("srcset", exact=True)).to_contain_text("200w")
    await expect(panel.get_by_label("Steps", exact=True)).to_have_value("w_200:sepia")
    await console.photographed("image-addresses")
