"""`darkroom rehash` as an operator runs it, beside a site that serves."""

import asyncio
import signal
from pathlib import Path

import imagehash
import psutil
import pytest
from PIL import Image

from libs.storage.objects import open_objects
from tests.support.client import Client
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site import Site
from tests.support.site_jobs import objects_url, stored_keys, until_ended
from tests.support.terminal import Terminal, on_terminal

COUNT = 8
EMBEDDED = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)


async def rehash(site: Site) -> tuple[int, str]:
    """Run the command to its end; return its exit code and its last line."""
    async with on_terminal(site, "rehash") as terminal:
        code = await terminal.ended()
        await terminal.until(r"\d+ described.*")
    return code, terminal.shown.splitlines()[-1]


async def started(terminal: Terminal) -> list[psutil.Process]:
    """Wait until the bar has moved, but not to its end; return the command's process and its descendants."""
    await terminal.until(rf"Describing .*\b1/{COUNT}\b")
    own = psutil.Process(terminal.process.pid)
    return [own, *own.children(recursive=True)]


async def add_undescribed(client: Client, photo: Path) -> None:
    """Upload images that no job describes."""
    for _ in range(COUNT):
        assert (await client.upload(photo, retention="ephemeral")).status == 201


async def hashes(client: Client) -> list[str | None]:
    return [image["phash"] for image in (await client.get("/api/images")).json]


async def test_a_killed_run_is_continued_by_the_next(new_site: NewSite, large_photo: Path) -> None:
    site = await new_site(WORKER_CONCURRENCY="1")
    expected = str(await asyncio.to_thread(lambda: imagehash.phash(Image.open(large_photo))))
    async with signed_in(site) as client:
        await add_undescribed(client, large_photo)
        async with on_terminal(site, "rehash") as terminal:
            family = await started(terminal)
            terminal.process.kill()
            assert await terminal.ended() == -signal.SIGKILL
            await until_ended(family)
        before = await hashes(client)
        left = before.count(None)
        assert set(before) == {None, expected}
        async with on_terminal(site, "rehash") as terminal:
            assert await terminal.ended() == 0
            await terminal.until(rf"Describing .*\b{left}/{left}\b")
            await terminal.until(rf"\n{left} described, 0 failed\r\n$")
        assert await hashes(client) == [expected] * COUNT
    assert await rehash(site) == (0, "0 described, 0 failed")


@EMBEDDED
async def test_a_stopped_run_says_that_images_are_left(new_site: NewSite, large_photo: Path) -> None:
    site = await new_site(WORKER_CONCURRENCY="1")
    async with signed_in(site) as client:
        await add_undescribed(client, large_photo)
        async with on_terminal(site, "rehash") as terminal:
            family = await started(terminal)
            terminal.process.send_signal(signal.SIGINT)
            assert await terminal.ended() == 1
            shown = await terminal.until(r"\n(\d) described, 0 failed; stopped, run it again to continue")
            await until_ended(family)
        left = (await hashes(client)).count(None)
        assert left == COUNT - int(shown[1])
    assert await rehash(site) == (0, f"{left} described, 0 failed")


@EMBEDDED
async def test_a_missing_file_is_reported_and_the_others_are_done(new_site: NewSite, photo: Path) -> None:
    site = await new_site()
    async with signed_in(site) as client:
        await add_undescribed(client, photo)
        objects = open_objects(objects_url(site), site.directory)
        await objects.delete([(await stored_keys(objects_url(site)))[0]])
        await objects.close()
        for described in (COUNT - 1, 0):
            assert await rehash(site) == (1, f"{described} described, 1 failed")
        assert (await hashes(client)).count(None) == 1
