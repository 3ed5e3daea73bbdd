"""The processes as an operator starts them: what refuses to start, and what a restart keeps."""

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from libs.storage import set_aside
from libs.storage.database.connection import open_database
from libs.storage.database.migrate import migrate
from libs.storage.database.tables import Job
from tests.support.client import Client
from tests.support.shared_sites import signed_in
from tests.support.site import SECRET, Site, running_site
from tests.support.site_jobs import SMALL, accepted, family_of, until_ended
from tests.support.waiting import WAIT_S


async def refusal_of(site: Site, *command: str) -> str:
    """Run a `darkroom` command that must fail; return its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "apps.cli",
        *command,
        env=site.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(WAIT_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode not in (0, None)
    assert b"Traceback" not in output
    return output.decode()


@pytest.mark.parametrize("app", ["api", "worker", "scheduler"])
async def test_a_single_app_refuses_an_in_memory_broker(tmp_path: Path, app: str) -> None:
    output = await refusal_of(Site("embedded", tmp_path, {}), app)
    assert f"darkroom {app}" in output
    assert "memory://" in output
    assert "DARKROOM_BROKER_URL=amqp://" in output


@pytest.mark.parametrize("command", ["serve", "api", "worker", "scheduler", "migrate"])
async def test_a_misspelt_setting_stops_every_command(tmp_path: Path, command: str) -> None:
    output = await refusal_of(Site("embedded", tmp_path, {"MAX_PIXLES": "1"}), command)
    assert "did you mean DARKROOM_MAX_PIXELS?" in output


async def test_a_data_directory_is_used_by_one_process(tmp_path: Path, photo: Path) -> None:
    async with running_site("embedded", tmp_path / "site") as site, signed_in(site) as client:
        second = Site("embedded", tmp_path, {"DATA_DIR": site.settings["DATA_DIR"]})
        assert f"another process serves {site.settings['DATA_DIR']}" in await refusal_of(second, "serve")
        assert (await client.upload(photo, SMALL, wait_s=60)).status == 201


async def test_a_stopped_site_leaves_no_process_and_keeps_everything(tmp_path: Path, photo: Path) -> None:
    async with running_site("embedded", tmp_path / "site") as site, signed_in(site) as client:
        done = (await client.upload(photo, SMALL, wait_s=60)).json
        family = family_of(site, "serve")
        await site.stop("serve")
        await until_ended(family)
        await site.start_all()
        again = (await client.get(f"/api/images/{done['id']}")).json
        assert (again["status"], again["result"]["md5"]) == ("completed", done["result"]["md5"])
        assert (await client.get(done["download_url"])).status == 200
    assert [line for line in site.logs().splitlines() if '"level": "error"' in line] == []


async def test_a_site_killed_again_and_again_loses_no_job(tmp_path: Path, photo: Path) -> None:
    async with running_site("embedded", tmp_path / "site") as site, signed_in(site) as client:
        ids: list[str] = []
        for _ in range(2):
            ids += await asyncio.gather(*(accepted(client, photo, SMALL) for _ in range(4)))
            await site.kill("serve")
            await site.start_all()
        jobs = [await client.job_done(job_id) for job_id in ids]
        assert {job["status"] for job in jobs} == {"completed"}
        assert len({job["result_id"] for job in jobs}) == len(ids)
        await site.stop("serve")
        async with open_database(f"sqlite:///{site.settings['DATA_DIR']}/darkroom.sqlite"):
            assert await Job.count() == len(ids)
        await site.start_all()


async def test_check_says_which_backend_fails(tmp_path: Path) -> None:
    site = Site("embedded", tmp_path, {"BROKER_URL": "amqp://127.0.0.1:1/", "SECRET_KEY": SECRET})
    output = await refusal_of(site, "check")
    assert [
        line.split()[:2] for line in output.splitlines() if line.split()[0] in ("database", "objects")
    ] == [
        ["database", "ok"],
        ["objects", "ok"],
    ]
    assert "broker    failing: BrokerUnavailable" in output
    assert "tables    not those of this version: run `darkroom migrate`" in output
    gone = Site("embedded", tmp_path, {"DATABASE_URL": "postgres://darkroom@127.0.0.1:1/darkroom"})
    assert "(database_unavailable)" in await refusal_of(gone, "check")


async def test_check_lists_what_the_site_has_set_aside(tmp_path: Path) -> None:
    site, image = Site("embedded", tmp_path, {"SECRET_KEY": SECRET}), uuid4()
    Path(site.settings["DATA_DIR"]).mkdir()
    async with open_database(f"sqlite:///{site.settings['DATA_DIR']}/darkroom.sqlite") as engine:
        await migrate(engine)
        await set_aside.put("image", {image: "the store keeps it"})
    process = await site.start("check")
    assert await process.wait() == 0
    assert f"set aside image {image} after 1 attempts: the store keeps it" in site.log_of("check").read_text()


async def test_an_account_created_on_the_command_line_can_log_in(tmp_path: Path) -> None:
    async with running_site("embedded", tmp_path / "site") as site, Client(site) as client:
        await site.run("create-admin", "--username", client.username, "--password", "correct horse battery")
        assert (await client.login()).status == 200
        again = ("create-admin", "--username", client.username, "--password", "correct horse battery")
        assert "taken" in await refusal_of(site, *again)
