"""Images that end: when, together with what, and once."""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from PIL import Image

from libs.broker.rabbit import RabbitBroker
from tests.support.client import PASSWORD, Client
from tests.support.shared_sites import BOTH, signed_in
from tests.support.site import Site, running_site
from tests.support.site_jobs import SMALL, objects_url, stored_keys
from tests.support.waiting import WAIT_S, until, until_equal

UNDOWNLOADED_S, DOWNLOADED_S = "20", "8"
"""Long enough that a busy machine does all that a test does before an image ends."""

COUNT = """
select 'accounts', count(*) from piccolo_user
union all select 'refresh tokens', count(*) from refresh_token
union all select 'idempotency keys', count(*) from idempotency_key
"""


@pytest.fixture(scope="module", params=BOTH)
async def hasty_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """A site on which images end soon: soon after they are made, or after the first download."""
    async with running_site(
        request.param,
        tmp_path_factory.mktemp(f"hasty-{request.param}"),
        EXPIRE_UNDOWNLOADED_S=UNDOWNLOADED_S,
        EXPIRE_DOWNLOADED_S=DOWNLOADED_S,
    ) as site:
        yield site


@pytest.fixture
async def hasty(hasty_site: Site) -> AsyncIterator[Client]:
    async with signed_in(hasty_site) as client:
        yield client


async def made(client: Client, photo: Path) -> dict[str, Any]:
    """An uploaded image with its finished result."""
    answer = await client.upload(photo, SMALL, wait_s=60)
    assert answer.status == 201, answer
    return answer.json


async def download(client: Client, image: dict[str, Any]) -> None:
    """Begin the end of an image and its result."""
    assert (await client.get(f"/api/images/{image['id']}/download")).status == 200


async def until_no_object(client: Client) -> None:
    """Wait until the store holds nothing of this account."""
    await until_equal([], lambda: keys_of(client))


async def until_no_row(client: Client, image: dict[str, Any]) -> dict[str, Any]:
    """Wait until an image and its result have no rows, which go after their objects; return their job."""

    async def orphaned() -> dict[str, Any] | None:
        job = (await client.get(f"/api/jobs/{image['job_id']}")).json
        return None if job["image_id"] or job["result_id"] else job

    job = await until(orphaned)
    assert job is not None
    return job


def counted(site: Site) -> dict[str, int]:
    """The rows of an embedded site that a purge may remove."""
    file = site.directory / "data" / "darkroom.sqlite"
    with closing(sqlite3.connect(file, timeout=30)) as database:
        return dict(database.execute(COUNT))


async def keys_of(client: Client) -> list[str]:
    keys = await stored_keys(objects_url(client.site))
    return [key for key in keys if key.startswith(f"{client.username}/")]


async def test_an_image_that_is_not_downloaded_expires(hasty: Client, photo: Path) -> None:
    image = await made(hasty, photo)
    assert len(await keys_of(hasty)) == 2
    assert image["first_downloaded_at"] is None
    for one in (image["id"], image["result"]["id"]):
        await hasty.until_gone(one)
        assert (await hasty.get(f"/api/images/{one}/download")).status == 404
    await until_no_object(hasty)
    job = await until_no_row(hasty, image)
    assert (job["status"], job["image_id"], job["result_id"]) == ("completed", None, None)


@pytest.mark.parametrize("version", ["latest", "original"])
async def test_one_download_ends_an_upload_and_its_result_together(
    hasty: Client, photo: Path, version: str
) -> None:
    image = await made(hasty, photo)
    download = await hasty.get(f"/api/images/{image['id']}/download", params={"version": version})
    assert download.status == 200
    rows = [(await hasty.get(f"/api/images/{one}")).json for one in (image["id"], image["result"]["id"])]
    assert rows[0]["first_downloaded_at"] is not None
    assert rows[0]["first_downloaded_at"] == rows[1]["first_downloaded_at"]
    assert rows[0]["expires_at"] == rows[1]["expires_at"] < image["expires_at"]
    await hasty.until_gone(image["id"])
    await hasty.until_gone(image["result"]["id"])
    await until_no_object(hasty)


async def test_a_later_result_ends_by_itself(hasty: Client, photo: Path) -> None:
    kept = (await hasty.upload(photo, wait_s=60)).json
    assert kept["expires_at"] is None
    answer = await hasty.post(
        f"/api/images/{kept['id']}/transform", json={"operations": SMALL}, headers={"Prefer": "wait=60"}
    )
    assert answer.status in (200, 201), answer
    job = await hasty.job_done((await hasty.get("/api/jobs", params={"kind": "transform"})).json[0]["id"])
    result = job["result_id"]
    assert (await hasty.get(f"/api/images/{kept['id']}/download?version=original")).status == 200
    assert (await hasty.get(f"/api/images/{result}")).json["first_downloaded_at"] is None
    assert (await hasty.get(f"/api/images/{result}/download")).status == 200
    await hasty.until_gone(result)
    still = await hasty.get(f"/api/images/{kept['id']}")
    assert (still.status, still.json["expires_at"]) == (200, None)

    async def stored() -> int:
        return len(await keys_of(hasty))

    await until_equal(1, stored)


async def test_a_link_dies_with_its_image(hasty: Client, photo: Path) -> None:
    image = await made(hasty, photo)
    link = (await hasty.post(f"/api/images/{image['id']}/link", json={"expires_in": 3600})).json
    assert link["expires_at"] <= image["result"]["expires_at"]
    opened = await hasty.get(link["url"], token="")
    assert opened.status == 200
    assert hashlib.md5(opened.body, usedforsecurity=False).hexdigest() == image["result"]["md5"]
    assert (await hasty.get(f"/api/images/{image['id']}")).json["first_downloaded_at"] is not None
    await hasty.until_gone(image["result"]["id"])
    assert (await hasty.get(link["url"], token="")).status in (404, 410)
    await until_no_object(hasty)


async def test_a_download_under_way_is_finished_after_its_image_expired(hasty: Client) -> None:
    body = await asyncio.to_thread(noisy_bitmap)  # or the connection would be found too old
    form = aiohttp.FormData({"retention": "ephemeral"})
    form.add_field("image", BytesIO(body), filename="noise.bmp")
    image = (await hasty.post("/api/images", data=form)).json
    headers = {"Authorization": f"Bearer {hasty.token}"}
    url = f"{hasty.site.url}/api/images/{image['id']}/download?version=original"
    async with aiohttp.ClientSession(read_bufsize=2**14) as slow, slow.get(url, headers=headers) as download:
        assert download.status == 200
        first = await download.content.readexactly(10_000)
        await hasty.until_gone(image["id"])
        await until_no_object(hasty)
        whole = first + await download.read()
    assert (
        hashlib.md5(whole, usedforsecurity=False).digest()
        == hashlib.md5(body, usedforsecurity=False).digest()
    )


def noisy_bitmap() -> bytes:
    """Larger than all buffers between two processes."""
    file = BytesIO()
    Image.effect_noise((6000, 6000), 90).save(file, "BMP")
    return file.getvalue()


async def test_a_deletion_that_was_interrupted_is_finished_later(tmp_path: Path, photo: Path) -> None:
    async with (
        running_site("embedded", tmp_path / "site", EXPIRE_DOWNLOADED_S="1") as site,
        signed_in(site) as client,
    ):
        image = await made(client, photo)
        await download(client, image)
        objects = Path(site.settings["DATA_DIR"]) / "objects"
        away = objects.with_name("away")
        objects.rename(away)
        await client.until_gone(image["id"])
        await client.until_gone(image["result"]["id"])
        away.rename(objects)
        await until_no_object(client)


@pytest.mark.services
async def test_two_schedulers_delete_and_announce_each_image_once(tmp_path: Path, photo: Path) -> None:
    async with (
        running_site("services", tmp_path / "site", EXPIRE_DOWNLOADED_S="1", TICK_S="0.05") as site,
        signed_in(site) as client,
    ):
        await site.start("scheduler", called="scheduler-2")
        broker = await RabbitBroker.connect(site.settings["BROKER_URL"])
        try:
            async with broker.events("image.deleted", "test.over") as events:
                images = await asyncio.gather(*(made(client, photo) for _ in range(10)))
                await asyncio.gather(*(download(client, one) for one in images))
                ids = {one["id"] for one in images} | {one["result"]["id"] for one in images}
                for one in images:
                    await until_no_row(client, one)
                for name in ("scheduler", "scheduler-2"):
                    await site.stop(name)
                await broker.emit("test.over", b"")
                announced: list[str] = []
                async with asyncio.timeout(WAIT_S):
                    async for event in events:
                        if event.key == "test.over":
                            break
                        announced += [one for one in ids if one.encode() in event.body]
        finally:
            await broker.close()
        assert sorted(announced) == sorted(ids)
        assert [line for line in site.logs().splitlines() if '"level": "error"' in line] == []
        for name in ("scheduler", "scheduler-2"):
            assert "step_failed" not in site.log_of(name).read_text()


async def test_unused_rows_are_purged_at_the_start(tmp_path: Path, photo: Path) -> None:
    async with running_site("embedded", tmp_path / "site", REFRESH_TOKEN_S="0.01") as site:
        await site.logged("serve", "scheduler_started")  # it purges at once, and not again in this test
        async with signed_in(site), signed_in(site) as client:
            await client.upload(photo, wait_s=60)
            key = {"Idempotency-Key": uuid4().hex}
            assert (await client.upload(photo, headers=key, wait_s=60)).status == 201
            assert (await client.call("DELETE", "/accounts/me", json={"password": PASSWORD})).status in (
                200,
                204,
            )
            await until_no_object(client)
        await site.stop("serve")
        before = counted(site)
        assert (before["refresh tokens"], before["idempotency keys"]) == (1, 1)
        await site.start("serve")
        await site.ready()

        async def left() -> dict[str, int]:
            return counted(site)

        await until_equal(
            {"accounts": before["accounts"] - 1, "refresh tokens": 0, "idempotency keys": 0}, left
        )
