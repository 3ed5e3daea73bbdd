"""The console where clients fetch files from the object store, to which its page may not connect."""

from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.async_api import expect

from tests.console.support import Console
from tests.support.services import own_bucket

pytestmark = [
    pytest.mark.services,
    pytest.mark.parametrize("console_site", ["services"], indirect=True),
]


@pytest.fixture(scope="module")
def console_settings() -> dict[str, str]:
    bucket = own_bucket()
    store = f"http://{urlsplit(bucket).netloc.rpartition('@')[2]}"
    return {"OBJECTS_URL": f"{bucket}&public_url={quote(store, safe='')}", "api.DELIVERY_IN_API": "true"}


async def test_an_image_is_shown_and_its_file_is_saved_from_the_store(
    console: Console, console_settings: dict[str, str], photo: Path
) -> None:
    image = (await console.client.upload(photo, retention="ephemeral")).json
    page = await console.open(f"/images/{image['id']}")
    await expect(page.get_by_role("img", name=photo.name)).to_be_visible()
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Download").click()
    saved = await started.value
    assert urlsplit(saved.url).netloc == urlsplit(console_settings["OBJECTS_URL"]).netloc.rpartition("@")[2]
    assert saved.suggested_filename == photo.name
    assert Path(await saved.path()).read_bytes() == photo.read_bytes()
    assert (await console.client.get(f"/api/images/{image['id']}")).json["first_downloaded_at"] is not None
    assert console.complaints == []
