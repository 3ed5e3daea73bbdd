"""Several tabs of one browser: they share one event stream."""

from pathlib import Path

import pytest
from playwright.async_api import Page, Request, expect

from tests.console.support import Console, sign_in
from tests.support.browser import PLAIN_HOST

pytestmark = pytest.mark.services  # `make services` brings the browser

CONNECTIONS = 6  # that a browser opens to one server


async def opened_jobs(console: Console) -> Page:
    page = await console.context.new_page()
    await page.goto(f"{console.url}/jobs")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    return page


async def test_more_tabs_than_connections_share_one_stream_which_another_continues_when_its_tab_closes(
    console: Console, photo: Path
) -> None:
    streams: list[Request] = []
    console.context.on("request", lambda request: _note_stream(streams, request))
    await console.open("/account")  # it listens to nothing; the library did
    streams.clear()
    tabs = [await opened_jobs(console) for _ in range(CONNECTIONS + 1)]
    assert len(streams) == 1

    await console.client.upload(photo.read_bytes(), operations=[{"op": "grayscale"}])
    for tab in tabs:
        row = tab.get_by_role("listitem").filter(has_text="grayscale")
        await expect(row.get_by_text("Done", exact=True)).to_be_visible()
    assert len(streams) == 1

    reader = next(tab for tab in tabs if tab.main_frame == streams[0].frame)
    tabs.remove(reader)
    async with console.context.expect_event("request", lambda request: request.url.endswith("/api/events")):
        await reader.close()
    assert "last-event-id" in await streams[1].all_headers()
    await console.client.upload(photo.read_bytes(), operations=[{"op": "flip"}])
    for tab in tabs:
        row = tab.get_by_role("listitem").filter(has_text="flip")
        await expect(row.get_by_text("Done", exact=True)).to_be_visible()
    assert len(streams) == 2


async def test_tabs_behind_plain_http_share_one_stream_which_another_continues_when_its_tab_closes(
    console: Console, photo: Path
) -> None:
    streams: list[Request] = []
    console.context.on("request", lambda request: _note_stream(streams, request))
    site = console.client.site
    page = await console.context.new_page()
    await page.goto(f"http://{PLAIN_HOST}:{site.port}/console/account")
    await sign_in(page, console.client.username)
    assert await page.evaluate("[isSecureContext, navigator.locks === undefined]") == [False, True]
    streams.clear()  # those of the library at the other address, which these tabs know nothing of
    tabs: list[Page] = []
    for _ in range(CONNECTIONS + 1):
        tabs.append(await console.context.new_page())
        await tabs[-1].goto(f"http://{PLAIN_HOST}:{site.port}/console/jobs")
        await expect(tabs[-1].get_by_text("Live", exact=True)).to_be_visible()
    assert len(streams) == 1

    reader = next(tab for tab in tabs if tab.main_frame == streams[0].frame)
    tabs.remove(reader)
    async with console.context.expect_event("request", lambda request: request.url.endswith("/api/events")):
        await reader.close()
    await console.client.upload(photo.read_bytes(), operations=[{"op": "flip"}])
    for tab in tabs:
        row = tab.get_by_role("listitem").filter(has_text="flip")
        await expect(row.get_by_text("Done", exact=True)).to_be_visible()
    assert len(streams) == 2


def _note_stream(streams: list[Request], request: Request) -> None:
    if request.url.endswith("/api/events"):
        streams.append(request)
