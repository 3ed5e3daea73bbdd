"""The library of the console: adding, finding and changing images."""

import asyncio
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from tests.console.accessibility import serious_faults
from tests.console.support import ON_BOTH, SCHEMES, Console
from tests.console.transfers import dragged, paste
from tests.support.fault_proxy import FaultProxy
from tests.support.pictures import encoded
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.services  # `make services` brings the browser

HOSTILE = '"><img src=x onerror=alert(1)>.jpg'


@pytest.fixture(scope="module")
def console_settings() -> dict[str, str]:
    return {"MAX_UPLOAD_BYTES": "2000000"}


@pytest.fixture(scope="module")
def forty_files(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return forty files: parts of photographs, one that is broken, and one that is too large."""
    folder = tmp_path_factory.mktemp("forty")
    sources = [photos / name for name in ("rocket.jpg", "coffee.png", "chelsea.png", "astronaut.png")]
    files: list[Path] = []
    for number in range(38):
        with Image.open(sources[number % 4]) as image:
            left = 7 * number % 120
            part = image.convert("RGB").crop((left, left // 2, left + 280, left // 2 + 200 + number))
        files.append(folder / f"part-{number:02}.jpg")
        part.save(files[-1], quality=85)
    broken, large = folder / "broken.jpg", folder / "large.png"
    broken.write_bytes(b"this is no picture")
    large.write_bytes(noise(1500))
    return [*files, broken, large]


@pytest.fixture
async def six(console: Console, forty_files: list[Path]) -> Page:
    """The library with six images, the newest first: 5 to 0."""
    for number, file in enumerate(forty_files[:6]):
        answer = await console.client.upload(file, filename=f"{number}.jpg", tags=f"of-{number % 2}")
        await console.client.until_hashed(answer.json["id"])
    await console.page.reload()
    await expect(console.page.locator(".tile canvas.loaded")).to_have_count(6)
    return console.page


def noise(side: int) -> bytes:
    """Return a picture of about a byte a pixel."""
    return encoded(Image.effect_noise((side, side), 90), "PNG")


def smaller(file: Path) -> bytes:
    """Return the picture at half its size."""
    with Image.open(file) as image:
        return encoded(image.reduce(2), "JPEG")


async def total(console: Console) -> int:
    return int((await console.client.get("/api/images?limit=1")).headers["X-Total-Count"])


async def test_forty_files_at_once_are_uploaded_but_the_broken_and_the_too_large_one(
    console: Console, forty_files: list[Path]
) -> None:
    page = console.page
    await expect(page.get_by_role("heading", name="Drop images here")).to_be_visible()
    await console.photographed("library-empty")
    await page.get_by_label("Files to upload").set_input_files(forty_files)
    panel = page.get_by_role("region", name="Uploads")
    await expect(panel.get_by_role("status")).to_have_text("38 of 40 uploads, 2 failed")
    await console.photographed("library-uploads")
    assert await serious_faults(page) == []
    await expect(panel.locator(".upload.refused", has_text="broken.jpg")).to_contain_text("no image")
    await expect(panel.locator(".upload.refused", has_text="large.png")).to_contain_text("limit is 2.0 MB")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("38 images")
    assert await total(console) == 38
    await panel.get_by_role("button", name="Close").click()
    await page.reload()
    await expect(page.locator(".tile canvas.loaded")).not_to_have_count(0)
    await console.photographed("library")


@ON_BOTH
async def test_images_are_dropped_and_pasted_and_named_by_url(console: Console, photo: Path) -> None:
    page = console.page
    await expect(page.get_by_role("heading", name="Drop images here")).to_be_visible()
    transfer = await dragged(page, photo, "dropped.jpg")
    await page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    await expect(page.get_by_text("Drop to upload")).to_be_visible()
    await page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    await expect(page.locator(".tile", has_text="dropped.jpg")).to_be_visible()
    await paste(page, transfer, into="body")
    await expect(page.locator(".tile")).to_have_count(2)
    await page.get_by_role("button", name="Add").click()
    await page.get_by_role("menuitem", name="By URL").click()
    await page.get_by_role("textbox", name="URL").fill("http://127.0.0.1:9/none.jpg")
    await page.get_by_role("dialog").get_by_role("button", name="Add").click()
    await expect(page.locator(".upload.failed")).to_contain_text("127.0.0.1")
    assert await total(console) == 2


async def test_an_upload_is_paused_loses_its_connection_and_arrives_once(console: Console) -> None:
    page = console.page
    picture = {"name": "noise.png", "mimeType": "image/png", "buffer": noise(1100)}
    async with FaultProxy.to(console.client.site.url) as proxy:
        await page.goto(f"{proxy.url}/console/library")
        await expect(page.get_by_role("heading", name="Drop images here")).to_be_visible()
        proxy.pause()
        await page.get_by_label("Files to upload").set_input_files([picture])  # pyright: ignore[reportArgumentType] - a dict of its fields
        row = page.locator(".upload")
        await row.get_by_role("button", name="Pause").click()
        await expect(row).to_contain_text("Paused")
        await row.get_by_role("button", name="Resume").click()
        await expect(row).to_contain_text("of 1.2 MB")
        proxy.cut()
        await expect(row).to_contain_text("Waits for the connection")
        proxy.resume()
        proxy.restore()
        await expect(row).to_contain_text("Uploaded")
        await expect(page.locator(".tile")).to_have_count(1)
        assert await total(console) == 1


async def test_an_upload_whose_answer_is_lost_arrives_once(console: Console, photo: Path) -> None:
    page = console.page
    async with FaultProxy.to(console.client.site.url) as proxy:
        await page.goto(f"{proxy.url}/console/library")
        await expect(page.get_by_role("heading", name="Drop images here")).to_be_visible()
        proxy.lose_answer_to(b"POST /api/images HTTP")
        await page.get_by_label("Files to upload").set_input_files(photo)
        async with asyncio.timeout(WAIT_S):
            await proxy.lost.wait()
        await expect(page.locator(".upload")).to_contain_text("Uploaded")
        await expect(page.locator(".tile")).to_have_count(1)
        assert await total(console) == 1


async def test_images_are_found_by_name_tag_format_size_and_likeness(
    console: Console, six: Page, forty_files: list[Path]
) -> None:
    page = six
    await page.get_by_role("searchbox").fill("3.jp")
    await expect(page.locator(".tile .name")).to_have_text(["3.jpg"])
    await expect(page).to_have_url(f"{console.url}/library?filename=3.jp")
    await page.get_by_role("searchbox").fill("")
    await expect(page.locator(".tile")).to_have_count(6)
    await page.get_by_role("button", name="Filter").click()
    await console.photographed("library-filter")
    assert await serious_faults(page) == []
    await page.get_by_label("Tags").fill("of-1")
    await page.get_by_label("Order").last.select_option(label="Name A to Z")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".tile .name")).to_have_text(["1.jpg", "3.jpg", "5.jpg"])
    await page.get_by_role("button", name="Remove the filter tagged of-1").click()
    await expect(page.locator(".tile .name")).to_have_text([f"{number}.jpg" for number in range(6)])
    await page.get_by_label("Order").select_option(label="Largest first")
    sizes = {one["filename"]: one["size_bytes"] for one in (await console.client.get("/api/images")).json}
    largest = sorted(sizes, key=lambda name: -sizes[name])
    await expect(page.locator(".tile .name")).to_have_text(largest)
    await page.get_by_role("button", name="Filter").click()
    await page.get_by_label("Format").select_option(label="PNG")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("heading", name="Nothing matches.")).to_be_visible()
    await page.get_by_role("button", name="Clear all").click()
    await page.locator(".tile", has_text="0.jpg").get_by_role("checkbox").click()
    alike = await console.client.upload(smaller(forty_files[0]), filename="alike.jpg")
    await console.client.until_hashed(alike.json["id"])
    await page.get_by_role("button", name="More like this").click()
    await expect(page.locator(".tile .name")).to_have_text(["alike.jpg"])
    await page.go_back()
    await expect(page.locator(".tile")).to_have_count(7)


async def test_a_form_keeps_what_was_entered_while_the_page_behind_it_changes(
    console: Console, photo: Path
) -> None:
    page = console.page
    await page.get_by_role("button", name="Filter").click()
    await page.get_by_label("Format").select_option(label="PNG")
    await page.get_by_label("Tags").fill("entered")
    await console.client.upload(photo)
    await expect(page.locator(".tile")).to_have_count(1)
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("heading", name="Nothing matches.")).to_be_visible()
    await expect(page).to_have_url(f"{console.url}/library?tags=entered&format=png")


async def test_a_selection_is_tagged_kept_transformed_and_deleted(console: Console, six: Page) -> None:
    page, client = six, console.client
    operations = [{"op": "resize", "width": 64}]
    assert (await client.call("PUT", "/api/presets/small", json={"operations": operations})).status < 300
    await page.locator(".tile .tick").nth(1).click()
    await page.locator(".tile .tick").nth(3).click(modifiers=["Shift"])
    await expect(page.get_by_role("toolbar")).to_contain_text("3 selected")
    await console.photographed("library-selected")
    assert await serious_faults(page) == []
    await page.get_by_role("button", name="Tag", exact=True).click()
    await page.get_by_role("textbox", name="Add").fill("Summer, sea")
    await page.get_by_role("textbox", name="Remove").fill("of-0")
    await page.get_by_role("dialog").get_by_role("button", name="Tag").click()
    await expect(page.get_by_text("3 images tagged")).to_be_visible()
    tagged = {one["filename"]: one["tags"] for one in (await client.get("/api/images?tags=sea")).json}
    new = ["summer", "sea"]
    assert tagged == {"4.jpg": new, "3.jpg": ["of-1", *new], "2.jpg": new}
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(await (await saved.value).path()) as archive:
        assert sorted(archive.namelist()) == ["2.jpg", "3.jpg", "4.jpg"]
    await page.get_by_role("button", name="Transform").click()
    await page.get_by_role("dialog").get_by_role("button", name="Transform").click()
    await expect(page.get_by_text("3 jobs started")).to_be_visible()
    await expect(page.locator(".tile")).to_have_count(9)  # the results come by themselves
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete 3 images?")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("3 images deleted")).to_be_visible()
    await expect(page.locator(".tile")).to_have_count(6)
    left = {(one["filename"], one["width"]) for one in (await client.get("/api/images")).json}
    assert left == {(f"{n}.jpg", 280) for n in (0, 1, 5)} | {(f"{n}.jpg", 64) for n in (2, 3, 4)}
    await expect(page.get_by_role("toolbar")).to_have_count(0)


async def test_everything_works_by_keyboard_alone(console: Console, six: Page) -> None:
    page = six
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator(".tile a").nth(1)).to_be_focused()
    await page.keyboard.press("Space")
    await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("Shift+ArrowRight")
    await expect(page.get_by_role("toolbar")).to_contain_text("3 selected")
    await page.keyboard.press("x")
    await expect(page.get_by_role("toolbar")).to_contain_text("2 selected")
    await page.keyboard.press("Delete")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Delete")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("toolbar")).to_have_count(0)
    await page.keyboard.press("Control+a")
    await expect(page.get_by_role("toolbar")).to_contain_text("6 selected")
    await page.keyboard.press("Escape")
    await page.keyboard.press("End")
    await expect(page.locator(".tile a").nth(5)).to_be_focused()
    last = (await console.client.get("/api/images?sort=created_at&limit=1")).json[0]
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{console.url}/images/{last['id']}")


async def test_the_name_of_a_file_is_text_wherever_it_is_shown(
    console: Console, photo: Path, tmp_path: Path
) -> None:
    page = console.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    hostile = {"name": HOSTILE, "mimeType": "image/jpeg", "buffer": photo.read_bytes()}
    await page.get_by_label("Files to upload").set_input_files([hostile])  # pyright: ignore[reportArgumentType] - a dict of its fields
    await expect(page.locator(".upload.done")).to_be_visible()
    [image] = (await console.client.get("/api/images")).json
    assert "<img" in image["filename"]
    await expect(page.locator(".tile .name")).to_have_text(image["filename"])
    await page.locator(".tile .tick").click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Cancel").click()
    assert await page.locator("img[src=x]").count() == 0
    assert dialogs == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_no_serious_fault_in_the_library(console: Console, six: Page, scheme: str) -> None:
    await six.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for width in (390, 1280):
        await six.set_viewport_size({"width": width, "height": 844})
        await expect(six.locator(".tile canvas.loaded")).to_have_count(6)
        assert await serious_faults(six) == []
