"""This version takes over the database and the object store of an older one, with its unfinished jobs.

`recorded/` has what a commit of November 29th 2026 left behind, ten migrations ago; `record.py` made it.
"""

import tarfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import msgspec
import pytest
from msgspec import Struct
from PIL import Image

from libs.storage.objects import open_objects
from tests.support.client import Client
from tests.support.commands import run_command
from tests.support.services import own_bucket, own_database, own_vhost
from tests.support.shared_sites import BOTH
from tests.support.site import PROGRAM, Kind, Site
from tests.upgrades.known import ARCHIVES, FILES, KNOWN, OBJECTS, ROWS, Known

FOREVER = {"HISTORY_DAYS": "36500"}  # the recorded history stays, however old it is by now
USERNAME = "ada"


class Upgraded(Struct, frozen=True):
    """A site of this version on the older one's data; it does not run yet."""

    site: Site
    known: Known


@pytest.fixture(params=BOTH)
async def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Upgraded]:
    kind: Kind = request.param
    content, data = tmp_path / "content", tmp_path / "data"
    with tarfile.open(ARCHIVES / f"{kind}.tar.xz") as archive:
        archive.extractall(data if kind == "embedded" else content, filter="data")
    async with AsyncExitStack() as stack:
        if kind == "embedded":
            known = msgspec.json.decode((data / KNOWN).read_bytes(), type=Known)
            settings = {"DATA_DIR": str(data)}
        else:
            known = msgspec.json.decode((content / KNOWN).read_bytes(), type=Known)
            settings = {
                "DATABASE_URL": await stack.enter_async_context(own_database()),
                "BROKER_URL": await stack.enter_async_context(own_vhost()),
                "OBJECTS_URL": own_bucket(),
                "SECRET_KEY": known.secret,
            }
            await fill(settings["DATABASE_URL"], settings["OBJECTS_URL"], content)
        site = Site(kind, tmp_path, FOREVER | settings, PROGRAM)
        try:
            yield Upgraded(site, known)
        finally:
            await site.stop_all()


async def fill(database: str, objects: str, content: Path) -> None:
    """Load the older rows into an empty database, and its objects into an empty bucket."""
    lines = (content / ROWS).read_text().splitlines()
    connection = cast("Any", await asyncpg.connect(database))
    await connection.execute("\n".join(line for line in lines if not line.startswith("\\")))  # psql's own
    await connection.close()
    store = open_objects(objects, content)
    for number, key in enumerate(msgspec.json.decode((content / OBJECTS).read_bytes(), type=list[str])):
        path = content / FILES / str(number)
        await store.put(key, path, content_type="image/jpeg", metadata={})
    await store.close()


async def test_rows_files_links_logins_and_queued_jobs_of_an_older_version_keep_working(
    upgraded: Upgraded,
) -> None:
    site, known = upgraded.site, upgraded.known
    if site.kind == "services":
        await site.run("migrate")
    await site.start_all()
    async with Client(site) as client:
        client.username, client.token = USERNAME, known.access_token
        assert (await client.get("/accounts/me")).json["username"] == USERNAME
        by_key = await client.get("/accounts/me", headers={"Authorization": f"Bearer {known.api_key}"})
        assert by_key.json["username"] == USERNAME
        refreshed = await client.post("/accounts/refresh", json={"refresh_token": known.refresh_token})
        assert refreshed.status == 200, refreshed
        login = {"username": USERNAME, "password": known.password}
        assert (await client.post("/accounts/login", json=login)).status == 200

        for image in known.images:
            record = (await client.get(f"/api/images/{image.id}")).json
            assert (record["filename"], record["retention"]) == (image.filename, "keep")
            assert (await client.get(f"/api/images/{image.id}/download")).body == image.body
            opened = await client.get(image.link, headers={"Authorization": ""})
            assert (opened.status, opened.body) == (200, image.body)
        batch = (await client.get(f"/api/batches/{known.batch}")).json
        assert (batch["status"], batch["completed"]) == ("Completed", 2)
        assert [hook["url"] for hook in (await client.get("/api/webhooks")).json] == [known.webhook]

        for job_id in known.queued:
            job = await client.job_done(job_id)
            assert job["status"] == "completed", job
            result = await client.get(f"/api/images/{job['result_id']}/download")
            with Image.open(BytesIO(result.body)) as picture:
                assert (picture.format, picture.width) == ("WEBP", 64)
    await site.stop_all()
    healthy = await run_command(site, "doctor", "--age", "0")
    assert healthy.status == 0, healthy
