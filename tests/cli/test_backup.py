"""`darkroom backup` and `restore`, on both stores and both databases."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest

from tests.support.client import Client
from tests.support.commands import run_command
from tests.support.services import own_bucket, own_database, own_vhost
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site import Site
from tests.support.site_contents import object_keys

OPERATIONS = [{"op": "resize", "width": 60}, {"op": "convert", "format": "webp"}]


async def empty_site(like: Site, directory: Path, stack: AsyncExitStack) -> Site:
    """An installation with nothing in it, whose secrets are those of another."""
    settings = {"SECRET_KEY": like.settings["SECRET_KEY"]} if "SECRET_KEY" in like.settings else {}
    if like.kind == "services":
        settings |= {
            "DATABASE_URL": await stack.enter_async_context(own_database()),
            "BROKER_URL": await stack.enter_async_context(own_vhost()),
            "OBJECTS_URL": own_bucket(),
        }
    site = Site(like.kind, directory, settings)
    directory.mkdir()
    return site


async def resting_triggers(site: Site) -> int:
    """How many triggers of the database do not run; SQLite's always do."""
    if site.kind == "embedded":
        return 0
    connection = cast("Any", await asyncpg.connect(site.settings["DATABASE_URL"]))
    try:
        return await connection.fetchval("select count(*) from pg_trigger where tgenabled = 'D'")
    finally:
        await connection.close()


async def image_with_result(client: Client, photo: Path) -> dict[str, bytes]:
    """Upload a photo with operations; return the files of both images by their paths."""
    assert (await client.upload(photo, OPERATIONS, wait_s=60, retention="keep")).status == 201
    paths = [f"/api/images/{image['id']}/download" for image in (await client.get("/api/images")).json]
    assert len(paths) == 2
    return {path: (await client.get(path)).body for path in paths}


async def test_a_backup_restores_accounts_images_and_jobs_into_an_empty_installation(
    new_site: NewSite, photo: Path, tmp_path: Path
) -> None:
    site, folder = await new_site(SECRET_KEY="one secret for both installations"), tmp_path / "backup"
    async with signed_in(site) as client:
        files = await image_with_result(client, photo)
        jobs = [job["id"] for job in (await client.get("/api/jobs")).json]
        written = await run_command(site, "backup", str(folder))
        assert (written.status, "2 objects" in written.out) == (0, True), written
        again = await run_command(site, "backup", str(folder))
        assert (again.status, "is not empty (backup_refused)" in again.errors) == (1, True)
        username = client.username
    await site.stop_all()

    async with AsyncExitStack() as stack:
        other = await empty_site(site, tmp_path / "restored", stack)
        restored = await run_command(other, "restore", str(folder))
        assert (restored.status, restored.out) == (0, written.out.replace("backed up", "restored")), restored
        assert await object_keys(other) == await object_keys(site)
        assert await resting_triggers(other) == 0
        healthy = await run_command(other, "doctor", "--age", "0")
        assert (healthy.status, healthy.out) == (0, ""), healthy
        refused = await run_command(other, "restore", str(folder))
        assert (refused.status, "the database is not empty (backup_refused)" in refused.errors) == (1, True)

        await other.start_all()
        stack.push_async_callback(other.stop_all)
        client = await stack.enter_async_context(Client(other))
        client.username = username
        await client.login()
        assert {path: (await client.get(path)).body for path in files} == files
        assert {(await client.job_done(job))["status"] for job in jobs} == {"completed"}
        assert (await client.upload(photo, OPERATIONS, wait_s=60)).status == 201


async def test_a_backup_without_objects_restores_beside_a_store_that_has_them(
    new_site: NewSite, photo: Path, tmp_path: Path
) -> None:
    site, folder = await new_site(SECRET_KEY="one secret for both installations"), tmp_path / "backup"
    async with signed_in(site) as client:
        await image_with_result(client, photo)
    assert (await run_command(site, "backup", str(folder), "--no-objects")).status == 0
    assert not any((folder / "objects").iterdir())
    async with AsyncExitStack() as stack:
        other = await empty_site(site, tmp_path / "restored", stack)
        lost = await run_command(other, "restore", str(folder))
        assert "the object store lacks" in lost.errors
        store = site.settings.get("OBJECTS_URL", f"file://{site.settings['DATA_DIR']}/objects")
        other.settings["OBJECTS_URL"] = store
        assert (await run_command(other, "restore", str(folder))).status == 0


@pytest.fixture
async def written(site: Site, photo: Path, tmp_path: Path) -> Path:
    """A backup of the shared site."""
    async with signed_in(site) as client:
        await image_with_result(client, photo)
    assert (await run_command(site, "backup", str(tmp_path / "backup"))).status == 0
    return tmp_path / "backup"


@pytest.mark.parametrize("shared_site", ["embedded"], indirect=True)
async def test_a_damaged_backup_is_refused_and_changes_nothing(
    site: Site, written: Path, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        other = await empty_site(site, tmp_path / "restored", stack)

        async def refusal() -> str:
            ended = await run_command(other, "restore", str(written))
            assert ended.status == 1
            assert not await object_keys(other)
            return ended.errors

        an_object = next(path for path in (written / "objects").rglob("*") if path.is_file())
        content = an_object.read_bytes()
        an_object.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert (
            f"{an_object.name} has other content than when it was written (backup_damaged)" in await refusal()
        )
        an_object.write_bytes(content[:-1])
        assert f"has {len(content) - 1} bytes instead of {len(content)}" in await refusal()
        an_object.unlink()
        assert "cannot be read: No such file" in await refusal()

        database = written / "database" / "darkroom.sqlite"
        rows = database.read_bytes()
        database.write_bytes(rows[:-4096])
        assert "database/darkroom.sqlite has" in await refusal()
        database.write_bytes(rows)

        manifest = written / "manifest.json"
        newer = json.loads(manifest.read_text())
        newer["database"]["migration"] = "9999-from-the-future"
        manifest.write_text(json.dumps(newer))
        assert "which is newer" in await refusal()
        manifest.unlink()
        assert "it is no backup, or writing it was interrupted" in await refusal()
