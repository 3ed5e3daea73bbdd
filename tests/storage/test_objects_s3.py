"""Objects on an S3 server: links, and a server that is away or refuses."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

from libs.runtime.threads import ServerBusy
from libs.storage.objects import (
    Digest,
    DigestMismatch,
    ObjectNotFound,
    ObjectStore,
    StorageError,
    StoreFull,
    StoreUnavailable,
    open_objects,
    s3_downloads,
)
from libs.storage.objects import s3 as s3_store
from libs.storage.objects.port import CHUNK_BYTES
from libs.storage.objects.s3 import CONNECTIONS, DOWNLOADS
from tests.storage.object_calls import every_call_raises_unavailable, get, listed, md5, put, s3_url
from tests.support.waiting import WAIT_S, until

pytest_plugins = ("tests.storage.objects_fixtures",)
pytestmark = pytest.mark.services

DISPOSITION = "attachment; filename=\"caf_.png\"; filename*=UTF-8''caf%C3%A9.png"


@pytest.fixture
async def s3(scratch: Path) -> AsyncGenerator[ObjectStore]:
    opened = open_objects(s3_url(), scratch)
    yield opened
    await opened.close()


async def link_to(store: ObjectStore, key: str, *, expires_s: int = 60) -> str:
    url = await store.link(key, expires_s=expires_s, content_type="image/webp", disposition=DISPOSITION)
    assert url is not None
    return url


async def fetch(url: str) -> tuple[int, bytes, str, str | None]:
    async with ClientSession() as session, session.get(URL(url, encoded=True)) as response:
        body = await response.read()
        return response.status, body, response.content_type, response.headers.get("Content-Disposition")


@pytest.mark.parametrize("name", ["a.png", "ünï cödé/100% & more+.png"])
async def test_a_link_serves_the_object_with_the_given_headers(
    s3: ObjectStore, prefix: str, scratch: Path, name: str
) -> None:
    await put(s3, prefix + name, b"pixels", scratch)
    assert await fetch(await link_to(s3, prefix + name)) == (200, b"pixels", "image/webp", DISPOSITION)


async def test_a_link_that_was_changed_is_refused(s3: ObjectStore, prefix: str, scratch: Path) -> None:
    for name in ("mine", "other"):
        await put(s3, prefix + name, b"pixels", scratch)
    link = await link_to(s3, prefix + "mine")
    changed = [
        link.replace("/mine?", "/other?"),
        link.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
        link.replace("image%2Fwebp", "text%2Fhtml"),
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link.partition("?")[0],
    ]
    assert link not in changed
    for url in changed:
        status, body, *_ = await fetch(url)
        assert status in (400, 403)
        assert b"pixels" not in body


async def test_a_link_expires(s3: ObjectStore, prefix: str, scratch: Path) -> None:
    await put(s3, prefix + "a", b"pixels", scratch)
    link = await link_to(s3, prefix + "a", expires_s=1)

    async def refused() -> bytes:
        status, body, *_ = await fetch(link)
        return body if status in (400, 403) else b""

    assert b"pixels" not in await until(refused)


async def test_a_link_for_longer_than_s3_allows_is_cut_to_seven_days(s3: ObjectStore) -> None:
    assert "X-Amz-Expires=604800&" in await link_to(s3, "a", expires_s=10**9)


async def test_links_name_the_public_host(scratch: Path) -> None:
    public = open_objects(f"{s3_url()}&public_url={quote('https://files.example.com', safe='')}", scratch)
    link = urlsplit(await link_to(public, "a/b.png"))
    assert (link.scheme, link.netloc) == ("https", "files.example.com")
    assert link.path.endswith("/a/b.png")
    await public.close()


async def test_slow_readers_hold_up_nobody_and_get_every_byte(
    s3: ObjectStore, prefix: str, scratch: Path
) -> None:
    content = os.urandom(4 * CHUNK_BYTES)
    await put(s3, prefix + "large", content, scratch)
    async with AsyncExitStack() as stack:
        slow: list[AsyncIterator[bytes]] = []
        received: list[list[bytes]] = []
        for _ in range(DOWNLOADS + 20):
            chunks = await stack.enter_async_context(s3.read(prefix + "large"))
            slow.append(chunks)
            received.append([await anext(chunks)])
        async with asyncio.timeout(WAIT_S):
            await put(s3, prefix + "other", b"x", scratch)
            async with s3.as_file(prefix + "other") as path:
                assert path.read_bytes() == b"x"
            await s3.ping()
            assert await get(s3, prefix + "large") == content
            for chunks, parts in zip(slow, received, strict=True):
                parts.extend([chunk async for chunk in chunks])
    assert all(b"".join(parts) == content for parts in received)


async def test_a_download_that_gets_no_connection_in_time_is_refused(
    scratch: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_store, "DOWNLOADS", 1)
    monkeypatch.setattr(s3_downloads, "MAX_WAIT_S", 0.2)
    store = open_objects(s3_url(), scratch)
    await put(store, prefix + "a", b"pixels", scratch)
    async with asyncio.timeout(WAIT_S):
        async with store.read(prefix + "a"):
            with pytest.raises(ServerBusy):
                await get(store, prefix + "a")
        assert await get(store, prefix + "a") == b"pixels"
    await store.close()


async def test_the_store_is_checked_though_all_connections_for_uploads_are_in_use(scratch: Path) -> None:
    all_arrived, answer = asyncio.Event(), asyncio.Event()
    uploads = 0

    async def take_long(_: web.Request) -> web.Response:
        nonlocal uploads
        uploads += 1
        if uploads == CONNECTIONS:
            all_arrived.set()
        await answer.wait()
        return web.Response(headers={"ETag": '"x"'})

    async def fine(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_put("/bucket/{key}", take_long)
    app.router.add_head("/bucket", fine)
    async with TestServer(app, host="127.0.0.1") as server, asyncio.TaskGroup() as group:
        store = open_objects(f"s3://key:secret@127.0.0.1:{server.port}/bucket?secure=false", scratch)
        for number in range(CONNECTIONS):
            group.create_task(put(store, f"{number}", b"pixels", scratch))
        async with asyncio.timeout(WAIT_S):
            await all_arrived.wait()
        await store.ping()
        answer.set()
    await store.close()


async def test_a_wrong_secret_is_no_passing_fault(scratch: Path) -> None:
    parts = urlsplit(s3_url())
    server = f"{parts.username}:wrong@{parts.hostname}:{parts.port}"
    store = open_objects(parts._replace(netloc=server).geturl(), scratch)
    for call in (store.ping(), get(store, "a"), store.delete(["a"])):
        with pytest.raises(StorageError) as caught:
            await call
        assert caught.type is StorageError
        assert "wrong" not in str(caught.value)
    await store.close()


async def test_a_missing_bucket_is_made_once_by_many(scratch: Path, prefix: str) -> None:
    url = urlsplit(s3_url())._replace(path=f"/{prefix[:16]}").geturl()
    store, rival = open_objects(url, scratch), open_objects(url, scratch)
    await asyncio.gather(
        *(put(each, f"{number}", b"x", scratch) for each in (store, rival) for number in range(5))
    )
    assert await listed(store) == ["0", "1", "2", "3", "4"]
    await store.delete([str(number) for number in range(5)])
    await asyncio.gather(store.close(), rival.close())


async def test_a_server_that_is_away_is_a_passing_fault(scratch: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening
        url = f"s3://key:secret@127.0.0.1:{closed.getsockname()[1]}/bucket?secure=false"
        await every_call_raises_unavailable(open_objects(url, scratch), scratch)


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_server_in_trouble_is_a_passing_fault(scratch: Path, status: int) -> None:
    async def trouble(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>try later</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", trouble)
    async with TestServer(app, host="127.0.0.1") as server:
        url = f"s3://key:secret@127.0.0.1:{server.port}/bucket?secure=false"
        await every_call_raises_unavailable(open_objects(url, scratch), scratch)


@pytest.mark.parametrize("content", [b"pixels", b"pixels" * 400_000], ids=["small", "large"])
async def test_a_put_that_the_server_fails_once_is_repeated_whole(scratch: Path, content: bytes) -> None:
    bodies: list[bytes] = []

    async def fails_first(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        if len(bodies) > 1:
            return web.Response(headers={"ETag": '"x"'})
        fault = "<Error><Code>InternalError</Code><Message>Internal Error</Message></Error>"
        return web.Response(status=500, text=fault, content_type="text/xml")

    async def fine(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(client_max_size=0)
    app.router.add_put("/bucket/a", fails_first)
    app.router.add_head("/bucket", fine)
    async with TestServer(app, host="127.0.0.1") as server:
        store = open_objects(f"s3://key:secret@127.0.0.1:{server.port}/bucket?secure=false", scratch)
        await put(store, "a", content, scratch)
        await store.close()
    assert bodies == [content, content]


async def test_an_answer_cut_short_is_a_passing_fault(scratch: Path) -> None:
    async def cut_short(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"x" * 10)
        assert request.transport is not None
        request.transport.abort()
        return response

    async def fine(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/bucket/a", cut_short, allow_head=False)
    app.router.add_head("/bucket", fine)
    async with TestServer(app, host="127.0.0.1") as server:
        store = open_objects(f"s3://key:secret@127.0.0.1:{server.port}/bucket?secure=false", scratch)
        with pytest.raises(StoreUnavailable):
            await get(store, "a")
        await store.close()


async def test_a_missing_object_is_not_found_even_where_the_error_has_another_type(
    s3: ObjectStore, prefix: str
) -> None:
    with pytest.raises(ObjectNotFound, match=prefix):
        await get(s3, prefix + "none")


async def test_a_file_that_arrives_with_another_digest_is_an_error(
    s3: ObjectStore, prefix: str, scratch: Path
) -> None:
    path = scratch / "file"
    path.write_bytes(b"abc")
    for expected in (Digest(3, md5(b"other")), Digest(3, md5(b"abc"))):
        put_it = s3.put(prefix + "a", path, content_type="image/png", metadata={}, expected=expected)
        if expected.md5 == md5(b"abc"):
            await put_it
        else:
            with pytest.raises(DigestMismatch):
                await put_it


async def test_a_full_store_says_so(scratch: Path) -> None:
    async def full(_: web.Request) -> web.Response:
        text = "<Error><Code>XMinioStorageFull</Code><Message>Storage is full</Message></Error>"
        return web.Response(status=507, text=text, content_type="application/xml")

    async def fine(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_put("/bucket/a", full)
    app.router.add_head("/bucket", fine)
    async with TestServer(app, host="127.0.0.1") as server:
        store = open_objects(f"s3://key:secret@127.0.0.1:{server.port}/bucket?secure=false", scratch)
        with pytest.raises(StoreFull):
            await put(store, "a", b"x", scratch)
        await store.close()
