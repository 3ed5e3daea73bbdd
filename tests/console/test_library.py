"""The library of the console: adding, finding and changing images."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from tests.console.support import Console
from tests.support.pictures import encoded

pytestmark = pytest.mark.services  # `make services` brings the browser

SETTINGS = {"MAX_UPLOAD_BYTES": "2000000"}


@pytest.fixture(scope="module")
def console_settings() -> dict[str, str]:
    return SETTINGS


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
    large.write_bytes(encoded(Image.effect_noise((1500, 1500), 90), "PNG"))
    return [*files, broken, large]


async def shown(page: Page) -> list[str]:
    return await page.locator(".tile .name").all_inner_texts()


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
    await expect(panel.locator(".upload.refused", has_text="broken.jpg")).to_contain_text("no image")
    await expect(panel.locator(".upload.refused", has_text="large.png")).to_contain_text(
        "the limit is 2.0 MB"
    )
    assert (await console.client.get("/api/images?limit=1")).headers["X-Total-Count"] == "38"
    await expect(page.get_by_role("heading", level=1)).to_contain_text("38 images")
    await panel.get_by_role("button", name="Close").click()
    await page.reload()
    await expect(page.locator(".tile img.loaded")).not_to_have_count(0)
    await console.photographed("library")
    await page.locator(".tile .tick").nth(1).click()
    await page.locator(".tile .tick").nth(3).click(modifiers=["Shift"])
    await expect(page.get_by_role("toolbar")).to_contain_text("3 selected")
    await console.photographed("library-selected")
    await page.get_by_role("button", name="Filter").click()
    await console.photographed("library-filter")
