"""A running site's jobs, objects and processes, and work that keeps it busy."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from libs.storage.objects import open_objects
from tests.support.client import Client
from tests.support.site import Site
from tests.support.waiting import WAIT_S, until, until_equal

BUSY_S = 0.4

SMALL = [{"op": "resize", "width": 64}]
ENLARGE = {"op": "resize", "width": 5000, "height": 5000, "fit": "fill", "enlarge": True}
SHRINK = {"op": "resize", "width": 3000, "height": 3000, "fit": "fill"}
TURN = {"op": "rotate", "angle": 30}  # takes two seconds, whatever instructions the processor has
ENDLESS = [ENLARGE, TURN, SHRINK] * 6
"""Twelve seconds of work on an idle core."""
SLOW = ENDLESS[:6]
"""Four seconds of work: to be stopped in the middle, and done once in the end."""


def working_app(site: Site) -> str:
    """The process that runs jobs."""
    return "serve" if site.kind == "embedded" else "worker"


async def accepted(client: Client, photo: Path | bytes, operations: Sequence[Mapping[str, Any]]) -> str:
    """Upload; the id of the job."""
    answer = await client.upload(photo, operations)
    assert answer.status == 202, answer
    return answer.json["job_id"]


async def until_running(client: Client, job_id: str) -> None:
    async def running() -> bool:
        return (await job_of(client, job_id))["status"] == "running"

    await until(running)


async def job_of(client: Client, job_id: str) -> dict[str, Any]:
    return (await client.get(f"/api/jobs/{job_id}")).json


async def results_of(client: Client, job: Mapping[str, Any]) -> list[str]:
    """The ids of all images made from the job's source."""
    answer = await client.get("/api/images", params={"parent": job["image_id"]})
    return [image["id"] for image in answer.json]


def objects_url(site: Site) -> str:
    return site.settings.get("OBJECTS_URL", f"file://{site.settings['DATA_DIR']}/objects")


async def stored_keys(url: str) -> list[str]:
    with TemporaryDirectory() as scratch:
        store = open_objects(url, Path(scratch))
        try:
            return [stored.key async for stored in store.scan("")]
        finally:
            await store.close()


async def until_stored(site: Site, count: int) -> None:
    """Wait until the store holds exactly `count` objects; a lost attempt's object goes a moment later."""

    async def stored() -> int:
        return len(await stored_keys(objects_url(site)))

    await until_equal(count, stored)


def family_of(site: Site, name: str) -> list[psutil.Process]:
    """A process of the site with all that it started."""
    own = psutil.Process(site.apps[name].pid)
    return [own, *own.children(recursive=True)]


def starters_of_renders(process: psutil.Process) -> list[psutil.Process]:
    """Return the children of a process that start its render processes; others start sites for tests."""
    found: list[psutil.Process] = []
    for child in process.children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if any("multiprocessing.forkserver" in part for part in child.cmdline()):
                found.append(child)
    return found


def renders_of(process: psutil.Process) -> list[psutil.Process]:
    """Return the render processes of a process."""
    found: list[psutil.Process] = []
    for starter in starters_of_renders(process):
        with suppress(psutil.NoSuchProcess):
            found += starter.children()
    return found


async def busy_one_of(process: psutil.Process) -> psutil.Process:
    """Return the render process that has computed for longer than any start takes, once there is one."""

    async def busy() -> psutil.Process | None:
        for child in renders_of(process):
            with suppress(psutil.NoSuchProcess):
                if child.status() != psutil.STATUS_ZOMBIE and child.cpu_times().user > BUSY_S:
                    return child
        return None

    found = await until(busy)
    assert found is not None
    return found


async def until_ended(processes: list[psutil.Process]) -> None:
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, timeout=WAIT_S)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []


def scratch_folders(site: Site) -> list[Path]:
    return [path for path in (Path(site.settings["DATA_DIR"]) / "tmp").iterdir() if path.is_dir()]
