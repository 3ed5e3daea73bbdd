"""A page of another origin in a real browser: upload, follow by ticket, list, download."""

from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from playwright.async_api import async_playwright

from infra.local import tools
from tests.support.other_origin import other_origin
from tests.support.shared_sites import NewSite, signed_in
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.services  # `make services` brings the browser too

PAGE = """<!doctype html><script type="module">
const [api, key] = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const headers = {Authorization: `Bearer ${key}`};
const form = new FormData();
form.append("image", await (await fetch("photo.jpg")).blob(), "photo.jpg");
form.append("operations", JSON.stringify([{op: "grayscale"}, {op: "convert", format: "png"}]));
const uploaded = await fetch(`${api}/api/images`, {method: "POST", headers, body: form});
const where = uploaded.headers.get("Location");
const ticket = await (await fetch(`${where}/events/ticket`, {method: "POST", headers})).json();
const events = [];
await new Promise(resolve => {
  const source = new EventSource(ticket.url);
  for (const name of ["queued", "running", "completed", "failed"])
    source.addEventListener(name, () => events.push(name));
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) resolve(); };
});
const listed = await fetch(`${api}/api/images?limit=1`, {headers});
const [newest] = await listed.json();
const file = await fetch(newest.download_url, {headers});
window.seen = {status: uploaded.status, events, total: listed.headers.get("X-Total-Count"),
  type: (await file.blob()).type};
</script>"""


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_a_page_of_another_origin_uploads_follows_its_job_and_downloads_the_result(
    new_site: NewSite, photo: Path
) -> None:
    path = tools.BROWSER.find()
    assert path, tools.BROWSER.advice
    async with other_origin(photo, PAGE) as origin, async_playwright() as playwright:
        site = await new_site(CORS_ORIGINS=origin)
        async with signed_in(site) as client:
            scopes = ["images:read", "images:write", "jobs"]
            made = await client.post("/accounts/me/keys", json={"name": "a page", "scopes": scopes})
            arguments = msgspec.json.encode([site.url, made.json["key"]]).decode()
            chromium = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            try:
                page = await chromium.new_page()
                await page.goto(f"{origin}/#{quote(arguments)}")
                await page.wait_for_function("window.seen", timeout=1000 * WAIT_S)
                seen = await page.evaluate("window.seen")
            finally:
                await chromium.close()
    assert seen["events"][-1] == "completed"  # once: the reconnect was answered with 204
    assert seen["events"].count("completed") == 1
    assert (seen["status"], seen["total"], seen["type"]) == (202, "2", "image/png")
