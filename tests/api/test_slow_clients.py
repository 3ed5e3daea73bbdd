"""Clients that send slowly, or not at all: they are cut off, and nobody else notices."""

import asyncio
import re
import resource
import time
from collections.abc import AsyncIterator

import psutil
import pytest

from tests.api.raw_connections import HEAD, Stream, connected, is_alive, last_answer
from tests.support.client import Client
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site import Site
from tests.support.site_contents import nothing_kept

CONNECTIONS = 60

pytestmark = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)


@pytest.fixture
async def impatient(new_site: NewSite) -> Site:
    """A site that waits two seconds, for few clients."""
    return await new_site(REQUEST_HEAD_S="2", MIN_BODY_BYTES_PER_S="1000", MAX_CONNECTIONS=str(CONNECTIONS))


async def test_heads_that_are_never_finished_keep_nobody_out(impatient: Site) -> None:
    opened: list[Stream] = []
    try:
        for _ in range(3 * CONNECTIONS):
            reader, writer = await asyncio.open_connection("127.0.0.1", impatient.port)
            writer.write(HEAD)
            opened.append((reader, writer))
        assert await is_alive(impatient)
        began = time.monotonic()
        ends = await asyncio.gather(*(last_answer(stream) for stream in opened))
        assert {end.partition(b"\r\n")[0] for end in ends} == {b"", b"HTTP/1.1 408 Request Timeout"}
        assert ends[0] == b"", "the first ones made room for others"
        assert time.monotonic() - began > 1, "the last ones had their time"
    finally:
        for _, writer in opened:
            writer.close()
    assert await is_alive(impatient)


CUT_OFF = [
    (b"", b"", b""),
    (b"", b"\r\n", b""),
    (b"GET / HTTP/1.1\r\n", b"a: b\r\n", b"HTTP/1.1 408"),
    (b"GET / HTTP/1.1\r\na: " + b"x" * 100_000, b"", b"HTTP/1.1 431"),
    (b"GET /nowhere HTTP/1.1\r\nContent-Length: 99\r\n\r\n", b"x", b"HTTP/1.1 404"),  # nobody reads the body
]


async def test_whoever_sends_no_whole_request_is_cut_off_and_others_are_not(impatient: Site) -> None:
    async def cut_off(sent: bytes, dripping: bytes, end: bytes) -> None:
        async with connected(impatient, sent) as stream:
            answer = await last_answer(stream, dripping=dripping)
        assert answer.startswith(end), sent[:50]
        assert bool(answer) == bool(end), sent[:50]

    await asyncio.gather(*(cut_off(*case) for case in CUT_OFF))
    async with connected(impatient) as (reader, writer):
        for _ in range(3):  # the connection is used again
            writer.write(HEAD + b"\r\n")
            assert b"200 OK" in await reader.readuntil(b'{"status":"ok"}')
        writer.write((HEAD + b"\r\n") * 5 + HEAD + b"Connection: close\r\n\r\n")  # many requests at once
        assert (await last_answer((reader, writer))).count(b"200 OK") == 6
    [process] = impatient.apps.values()
    soft, hard = psutil.Process(process.pid).rlimit(resource.RLIMIT_NOFILE)
    assert soft == hard


@pytest.fixture
async def account(impatient: Site) -> AsyncIterator[Client]:
    async with signed_in(impatient) as client:
        yield client


FORM, JSON = "multipart/form-data; boundary=b", "application/json"
PART = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
SLOW = [
    ("/api/images", FORM),
    ("/api/images", JSON),
    ("/accounts/login", JSON),
    ("/admin/public/login/", JSON),
]


async def test_a_body_that_arrives_too_slowly_is_cut_off_and_leaves_nothing(account: Client) -> None:
    async def cut_off(path: str, kind: str) -> None:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: darkroom\r\nAuthorization: Bearer {account.token}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: 100000\r\n\r\n"
        )
        async with connected(account.site, head.encode()) as stream:
            if kind == FORM:
                stream[1].write(PART + b"x" * 2000)
            answer = await last_answer(stream, dripping=b"x")
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout"), path
        assert b'"code":"request_timeout"' in answer

    async with nothing_kept(account):
        await asyncio.gather(*(cut_off(*case) for case in SLOW))
    body = b'{"username": "nobody", "password": "' + b"x" * 100 + b'"}'  # slow, but fast enough
    head = b"POST /accounts/login HTTP/1.1\r\nContent-Type: application/json\r\n"
    async with connected(account.site, head + b"Content-Length: %d\r\n\r\n" % len(body)) as (reader, writer):
        for at in range(0, len(body), 50):
            writer.write(body[at : at + 50])
            await asyncio.sleep(0.2)
        assert re.match(rb"HTTP/1.1 401 ", await reader.readline())
