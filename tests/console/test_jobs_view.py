"""The jobs view: jobs and batches live, and CSV files before they become batches."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.batches.csv_files import accepted, products, sheet
from tests.console.accessibility import serious_faults
from tests.console.support import ON_BOTH, PATIENCE_MS, Console, sign_in
from tests.support.fault_proxy import FaultProxy
from tests.support.photo_server import ALLOWED, INSIDE, OUTSIDE, PhotoServer, serving
from tests.support.waiting import until

pytestmark = pytest.mark.services  # `make services` brings the browser

EVIL = "<img src=x onerror=\"document.title='taken'\">"
SMALLER = [{"op": "resize", "width": 40}, {"op": "grayscale"}]


@pytest.fixture(scope="module")
async def photos() -> AsyncIterator[PhotoServer]:
    """A server of images that the site may fetch from."""
    async with serving(OUTSIDE, INSIDE) as (server, _):
        yield server


@pytest.fixture(scope="module")
def console_settings(photos: PhotoServer) -> dict[str, str]:
    return {"FETCH_ALLOW_NETWORKS": ALLOWED, "FETCH_PORTS": str(photos.port), "MAX_ATTEMPTS": "1"}


async def drop(page: Page, name: str, content: bytes) -> None:
    """Drop a file on the view."""
    await page.locator(".jobs-view").evaluate(
        """(view, [name, text]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([text], name, { type: "text/csv" }));
          const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
          view.dispatchEvent(new DragEvent("drop", options));
        }""",
        [name, content.decode()],
    )


@ON_BOTH
async def test_jobs_are_live_and_failed_ones_are_explained_and_run_again(
    console: Console, photos: PhotoServer, photo: Path
) -> None:
    name, page = console.client.username, await console.open("/jobs")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    url = photos.url(f"/{name}.jpg")
    fetch = {"image_url": url, "operations": SMALLER}
    lost = (await console.client.post("/api/images", json=fetch)).json["id"]
    row = page.get_by_role("listitem").filter(has_text="Fetch, resize, grayscale")
    await expect(row).to_contain_text("404")
    await expect(row).to_contain_text("url_http_error")
    photos.serve(f"/{name}.jpg", photo.read_bytes())
    await row.get_by_role("button", name="Retry").click()
    await expect(row.get_by_text("Done", exact=True)).to_be_visible()
    await expect(row.get_by_role("link", name="Result")).to_be_visible()

    with photos.holding(url):
        await console.client.post("/api/images", json={**fetch, "operations": [{"op": "flip"}]})
        held = page.get_by_role("listitem").filter(has_text="Fetch, flip")
        await held.get_by_role("button", name="Cancel").click()
        await expect(held.get_by_text("Cancelled", exact=True)).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("jobs")

    await row.get_by_role("link", name="Fetch, resize, grayscale").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Fetch, resize, grayscale")
    await expect(page.get_by_role("figure")).to_have_count(2)
    await expect(page.get_by_text(lost)).to_be_visible()
    await console.photographed("job")


async def test_a_table_with_faults_is_corrected_in_place_and_becomes_a_batch_with_its_results(
    console: Console, photos: PhotoServer, photo: Path
) -> None:
    url = photos.serve("/lamp.jpg", photo.read_bytes())
    page = await console.open("/jobs")
    rows = [("1", EVIL, url), ("2", "Chair", "no address"), ("2", "Table", photos.url("/none.jpg"))]
    await drop(page, f"{EVIL}.csv", sheet(rows, header=("Key", "Ware", "Where")))
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Product name")).to_have_value("-1")
    await dialog.get_by_role("button", name="Start").click()
    await expect(dialog.get_by_text("the column is missing").first).to_be_visible()

    await dialog.get_by_label("Product name").select_option("Ware")
    await dialog.get_by_label("Addresses of images").select_option("Where")
    await dialog.get_by_label("Serial number").select_option("Key")
    await dialog.get_by_role("button", name="Check again").click()
    await expect(dialog.get_by_role("status")).to_contain_text("2 faults")
    await expect(dialog.get_by_text("2 is already on line 3")).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("csv-faults")
    await dialog.get_by_label("Input Image Urls, line 3").fill(url)
    await dialog.get_by_label("Serial Number, line 4").fill("3")
    await dialog.get_by_role("button", name="Check again").click()

    await expect(page.get_by_role("heading", level=1)).to_contain_text(EVIL)
    await expect(page.get_by_text("3 of 3 images")).to_be_visible()
    await expect(page.get_by_text("1 failed")).to_be_visible()
    await expect(page.get_by_role("cell", name=EVIL)).to_be_visible()
    await expect(page.get_by_role("link", name="url http error")).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("batch")
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Table").click()
    table = await (await started.value).path()
    assert "Output Image Urls" in table.read_text()
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Images").click()
    assert (await started.value).suggested_filename.endswith(".zip")

    photos.serve("/none.jpg", photo.read_bytes())
    await page.get_by_role("button", name="Retry failed").click()
    await expect(page.get_by_text("1 failed")).to_have_count(0)
    await expect(page.get_by_role("row").get_by_text("Done", exact=True)).to_have_count(3)
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", level=1, name="Jobs")).to_be_visible()
    await expect(page.get_by_role("article")).to_have_count(0)
    assert await page.title() != "taken"


async def test_a_page_whose_stream_breaks_shows_what_happened_meanwhile(
    console: Console, chromium: Browser, photos: PhotoServer, photo: Path
) -> None:
    client = console.client
    slow = photos.serve(f"/{client.username}-slow.jpg", photo.read_bytes())
    async with FaultProxy.to(client.site.url) as proxy:
        page = await chromium.new_page()  # its cookies are its own: they know no ports
        await page.goto(f"{proxy.url}/console/jobs")
        page.set_default_timeout(PATIENCE_MS)
        await sign_in(page, client.username)
        live = page.get_by_text("Live", exact=True)
        await expect(live).to_be_visible()
        with photos.holding(slow) as gate:
            await accepted(client, products([[slow]]))
            await expect(page.get_by_text("0 of 1 image")).to_be_visible()
            proxy.cut()
            await expect(page.get_by_text("Connecting…")).to_be_visible()
            gate.set()

            async def ended() -> bool:
                return bool((await client.get("/api/batches?status=Completed")).json)

            await until(ended)
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        proxy.restore()
        await expect(page.get_by_text("1 of 1 image")).to_be_visible()
        await expect(live).to_be_visible()
        asked = {url.removeprefix(proxy.url) for url in requests}
        assert asked <= {"/api/events", "/console/session/refresh"}, "the stream tells it, not a list"
