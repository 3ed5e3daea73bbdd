"""Several processes that deliver images by URL: renders once, and nothing half after a kill."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.support.addresses import fetched, signed
from tests.support.client import Client
from tests.support.ports import free_port
from tests.support.shared_sites import signed_in
from tests.support.site import Site, is_ready, running_site
from tests.support.site_jobs import busy_one_of, renders_of
from tests.support.waiting import until

pytestmark = pytest.mark.services

SLOW = ":".join(["w_5000,h_5000,fit_fill,enlarge_true:rotate,angle_30:w_3000,h_3000,fit_fill"] * 2)
"""Four seconds of work: much more than the start of a render process."""


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A site with two processes that only deliver."""
    async with running_site("services", tmp_path_factory.mktemp("delivery")) as site:
        await start(site, "first")
        await start(site, "second")
        yield site


@pytest.fixture(scope="module")
async def client(site: Site) -> AsyncIterator[Client]:
    async with signed_in(site) as client:
        yield client


async def start(site: Site, name: str) -> None:
    """Start a process that only delivers, until it answers; `url_of` has its address."""
    site.settings[f"{name}.URL"] = f"http://127.0.0.1:{free_port()}"
    site.settings["delivery.PORT"] = url_of(site, name).rpartition(":")[2]
    await site.start("delivery", called=name)
    async with aiohttp.ClientSession() as http:
        await until(partial(is_ready, http, url_of(site, name)))


def url_of(site: Site, name: str) -> str:
    return site.settings[f"{name}.URL"]


def rendered(site: Site, image: dict[str, Any]) -> int:
    """How often all processes together have rendered something of the image."""
    lines = site.logs().splitlines()
    return sum('"rendition_rendered"' in line and image["id"] in line for line in lines)


async def test_two_processes_asked_at_once_two_hundred_times_render_once(
    site: Site, client: Client, large_photo: Path
) -> None:
    image = (await client.upload(large_photo)).json
    path = signed("w_500", image["id"]) + ".webp"
    urls = [url_of(site, "first"), url_of(site, "second")] * 100
    answers = await asyncio.gather(*(fetched(client, path, url=url) for url in urls))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert rendered(site, image) == 1


async def test_after_kill_9_in_mid_render_the_next_request_has_the_image_and_nothing_is_half(
    site: Site, client: Client, slow_picture: bytes
) -> None:
    image = (await client.upload(slow_picture)).json
    path = signed(SLOW, image["id"])
    await start(site, "dying")
    process = psutil.Process(site.apps["dying"].pid)
    asked = asyncio.create_task(fetched(client, path, url=url_of(site, "dying")))
    await busy_one_of(process)
    suspended = list(renders_of(process))  # one that only starts may count as busy too
    for one in suspended:
        one.suspend()
    await site.kill("dying")
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever a closed connection is
        await asked
    answer = await fetched(client, path, url=url_of(site, "first"))
    assert (answer.status, answer.headers["Cache-Status"]) == (200, "darkroom; fwd=miss; stored")
    again = await fetched(client, path, url=url_of(site, "second"))
    assert again.body == answer.body
    assert rendered(site, image) == 1
    for one in suspended:
        one.kill()  # running, they would end with the process


async def test_a_process_that_is_told_to_stop_sends_and_stores_what_it_renders(
    site: Site, client: Client, large_photo: Path
) -> None:
    image = (await client.upload(large_photo)).json
    path = signed("w_1900", image["id"]) + ".jpg"
    await start(site, "leaving")
    answer = await fetched(client, path, url=url_of(site, "leaving"))
    await site.stop("leaving")
    again = await fetched(client, path, url=url_of(site, "first"))
    assert again.body == answer.body
    assert again.headers["Cache-Status"] == "darkroom; hit"


async def test_a_revoked_row_is_noticed_by_every_process_within_moments(
    site: Site, client: Client, photo: Path
) -> None:
    image = (await client.upload(photo)).json
    path = signed("w_200", image["id"])
    urls = [url_of(site, "first"), url_of(site, "second")]
    assert [(await fetched(client, path, url=url)).status for url in urls] == [200, 200]
    await client.call("DELETE", f"/api/images/{image['id']}")

    async def gone() -> bool:
        return [(await fetched(client, path, url=url)).status for url in urls] == [404, 404]

    await until(gone)


async def test_thousands_of_random_addresses_give_no_server_error_and_render_nothing_unsigned(
    site: Site, client: Client, photo: Path
) -> None:
    image = (await client.upload(photo)).json
    chance = random.Random(24)  # noqa: S311 - the same addresses each time
    good = signed("w_200,h_100,fit_cover:grayscale", image["id"])
    places = asyncio.Semaphore(16)
    statuses: dict[int, int] = {}

    async def ask(path: str) -> None:
        async with places:
            answer = await fetched(client, path, url=url_of(site, "first"))
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        assert answer.status in (400, 403, 404), (path, answer)

    await asyncio.gather(*(ask(changed(good, chance)) for _ in range(10_000)))
    assert rendered(site, image) == 0
    assert sum(statuses.values()) == 10_000


ALPHABET = "abwhqcfgt_,:.~%-+?=/0123456789" + "éß\u0000 "
PIECES = [
    "w_",
    "url.",
    "exp_1",
    "%2F",
    "%00",
    "%C3%28",
    "..",
    "~d41d8cd9",
    ".avif",
    "?w=640",
    "?w=",
    "//",
    "-",
]


def changed(path: str, chance: random.Random) -> str:
    """Return another address than `path`, one that its signature does not cover."""
    text = path
    while is_covered(text, path):
        text = path
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(3, len(text) + 1)
            piece = chance.choice(PIECES) if chance.random() < 0.4 else chance.choice(ALPHABET)
            text = text[:at] + piece + text[at + chance.randint(0, 3) :]
    return "".join(c if c.isascii() and c.isprintable() and c != " " else f"%{ord(c):02X}" for c in text)


def is_covered(text: str, path: str) -> bool:
    """Return whether `text` is `path` with a shorter signature, a version, an extension or a query."""
    _, _, key, rest = path.split("/", 3)
    _, _, other_key, other_rest = (*text.split("/", 3), "", "", "")[:4]
    longest = other_key.rstrip("=")[:-1]  # its last character can have bits that do not count
    return key.startswith(longest) and other_rest.startswith(rest)
