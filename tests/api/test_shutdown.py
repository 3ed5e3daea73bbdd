"""Stopping the API while its clients are in the middle of something."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from litestar.types import Receive, Scope, Send
from PIL import Image

from apps.http.server import serve_http
from libs.settings import load_settings
from tests.support.client import Client
from tests.support.ports import free_port
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site_jobs import ENDLESS, accepted
from tests.support.waiting import WAIT_S, until


@pytest.fixture(scope="module")
def large_file() -> bytes:
    """More than all buffers between two processes hold."""
    file = BytesIO()
    Image.effect_noise((4000, 4000), 90).convert("RGB").save(file, "BMP")
    return file.getvalue()


def api_of(kind: str) -> str:
    return "serve" if kind == "embedded" else "api"


def bearer(client: Client) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.token}"}


def problems(log: Path) -> list[str]:
    return [
        line for line in log.read_text().splitlines() if '"level": "error"' in line or "Traceback" in line
    ]


async def until_accepted(client: Client, jobs: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while (await client.get("/api/jobs")).headers["X-Total-Count"] != str(jobs):
            await asyncio.sleep(0.02)


async def test_who_waits_or_listens_is_answered_at_once_when_the_api_stops(
    new_site: NewSite, large_file: bytes
) -> None:
    site = await new_site()
    app = api_of(site.kind)
    async with signed_in(site) as client, aiohttp.ClientSession(headers=bearer(client)) as session:
        job_id = await accepted(client, large_file, ENDLESS)
        async with session.get(f"{site.url}/api/jobs/{job_id}/events") as events:
            assert b"event: " in await events.content.readuntil(b"\r\n\r\n")
            waiting = asyncio.create_task(client.upload(large_file, ENDLESS, wait_s=60))
            await until_accepted(client, 2)
            await site.stop(app)
            answer = await waiting
            assert (answer.status, answer.json["status"]) in [(202, "pending"), (202, "processing")]
            assert answer.headers["Location"].endswith(answer.json["job_id"])
            await events.content.read()  # to its end: an error if it had none
    assert problems(site.log_of(app)) == [], site.log_of(app).read_text()


async def test_a_download_and_an_upload_that_take_too_long_are_cut_off_when_the_api_stops(
    new_site: NewSite, large_file: bytes
) -> None:
    site = await new_site()
    app = api_of(site.kind)
    async with signed_in(site) as client, aiohttp.ClientSession(headers=bearer(client)) as session:
        stored = await client.upload(large_file, filename="large.bmp", retention="ephemeral")
        assert stored.status == 201
        sending = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
            sending.set()
            await asyncio.Event().wait()

        form = {"Content-Type": "multipart/form-data; boundary=x"}
        uploading = asyncio.ensure_future(session.post(f"{site.url}/api/images", data=slowly(), headers=form))
        await sending.wait()
        async with session.get(f"{site.url}/api/images/{stored.json['id']}/download") as download:
            await download.content.readexactly(1000)
            await site.stop(app)
            with pytest.raises(aiohttp.ClientPayloadError):
                await download.content.read()
        with pytest.raises(aiohttp.ClientConnectionError):
            await uploading
    assert problems(site.log_of(app)) == [], site.log_of(app).read_text()


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_a_connection_that_is_new_when_the_api_stops_gets_its_answer(new_site: NewSite) -> None:
    site = await new_site()
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
    fresh_reader, fresh_writer = await asyncio.open_connection("127.0.0.1", site.port)
    async with signed_in(site) as client:
        assert (await client.get("/health/live")).status == 200  # so both are accepted
    site.apps[api_of(site.kind)].send_signal(signal.SIGTERM)

    async def refuses() -> bool:
        try:
            _, another = await asyncio.open_connection("127.0.0.1", site.port)
        except ConnectionRefusedError:
            return True
        another.close()
        return False

    await until(refuses)
    writer.write(b"\r\n")
    fresh_writer.write(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
    for one in (reader, fresh_reader):
        answer = await one.read()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"connection: close" in answer.lower()
    writer.close()
    fresh_writer.close()
    await site.stop(api_of(site.kind))


async def test_a_handler_that_does_not_notice_its_client_is_gone_is_cancelled_when_the_api_stops(
    tmp_path: Path,
) -> None:
    begun, cancelled, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the start of the server
            raise NotImplementedError
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    port = free_port()
    settings = load_settings({"DARKROOM_DATA_DIR": str(tmp_path), "DARKROOM_PORT": str(port)})
    serving = asyncio.create_task(serve_http(app, settings, stop))

    async def reached() -> bool:
        assert not serving.done()
        with suppress(aiohttp.ClientConnectionError, TimeoutError):
            async with asyncio.timeout(1), aiohttp.request("GET", f"http://127.0.0.1:{port}/"):
                pass
        return begun.is_set()

    await until(reached)
    stop.set()
    async with asyncio.timeout(WAIT_S):
        await serving
    assert cancelled.is_set()
