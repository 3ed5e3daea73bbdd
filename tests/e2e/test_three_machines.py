"""The blocks of docs/three-machines.md as they stand, with a directory and processes for each machine."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import psutil
import pytest
from msgspec import Struct

from infra.rabbitmq import render
from tests.broker.rabbit_node import RabbitNode
from tests.support.client import Client
from tests.support.documents import ROOT, blocks
from tests.support.fault_proxy import FaultProxy
from tests.support.photo_server import ALLOWED, OUTSIDE, PhotoServer, picture, serving
from tests.support.ports import free_port
from tests.support.services import own_bucket, own_database
from tests.support.site import PROGRAM, Site
from tests.support.waiting import WAIT_S, until

PAGE = "docs/three-machines.md"
PUBLIC_STORE = "https://files.example.org"  # as the page names it
PASSWORDS = {name: f"password-of-{name}" for name in render.users()}
LEASE_S = 3

pytestmark = pytest.mark.services


class Data(Struct, frozen=True):
    """The machine `data`: its backends, each behind a link that can be cut."""

    database: FaultProxy
    objects: FaultProxy
    broker: FaultProxy


class Machine:
    """A machine that runs the blocks of the page for it, in a directory of its own."""

    def __init__(self, name: str, directory: Path, settings: str, broker: str) -> None:
        self.directory = directory / name
        self.directory.mkdir()
        (self.directory / "darkroom.env").write_text(settings)
        text = "\n".join(block.text for block in blocks(PAGE) if block.info == f"sh on={name}")
        text = re.sub(r"(\w+):PASSWORD@", lambda found: f"{found[1]}:{PASSWORDS[found[1]]}@", text)
        self._commands = text.replace("BROKER=data:5672", f"BROKER={broker}")
        self._shell: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Run the blocks; the processes that they leave in the background go on."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}"
        with (self.directory / "log").open("ab") as log:
            self._shell = await asyncio.create_subprocess_exec(
                "bash", "-euo", "pipefail", "-c", f"{self._commands}\nwait",
                cwd=self.directory, env={**inherited, "PATH": path, "PYTHONPATH": str(ROOT)},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    async def until_ready(self, site: Site) -> None:
        """Wait until the API that the blocks start answers; raise if they end."""
        assert self._shell is not None
        ready, ended = asyncio.ensure_future(site.ready()), asyncio.ensure_future(self._shell.wait())
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        assert ready.done(), self.log()
        await ready

    async def end(self, how: signal.Signals) -> None:
        """Send a signal to all processes of the machine, and wait for their ends."""
        shell, self._shell = self._shell, None
        if shell is not None:
            family = psutil.Process(shell.pid).children(recursive=True) if shell.returncode is None else []
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, how)
            await shell.wait()
            _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=WAIT_S)
            assert alive == []

    def log(self) -> str:
        return (self.directory / "log").read_text()


class Installation(Struct, frozen=True):
    """The three machines, and a web server outside of them."""

    data: Data
    web: Machine
    work: Machine
    site: Site  # only for its address: none of its processes run
    images: PhotoServer


def settings_of(data: Data, **more: str) -> str:
    """`darkroom.env` as the page has it, with the addresses that the machine `data` has here."""
    (text,) = [block.text for block in blocks(PAGE) if "DARKROOM_SECRET_KEY=" in block.text]
    urls = {"DATABASE": data.database.url, "OBJECTS": f"{data.objects.url}&public_url={PUBLIC_STORE}"}
    for name, url in urls.items():
        text, count = re.subn(
            rf"^DARKROOM_{name}_URL='.*'$", f"DARKROOM_{name}_URL='{url}'", text, flags=re.MULTILINE
        )
        assert count == 1
    return "\n".join([text, *(f"DARKROOM_{name}='{value}'" for name, value in more.items()), ""])


@asynccontextmanager
async def running_data() -> AsyncGenerator[Data]:
    node = RabbitNode(Path(mkdtemp(prefix="darkroom-machines-")), render.render(PASSWORDS))
    try:
        await node.start()
        async with (
            own_database() as database,
            FaultProxy.to(database) as of_database,
            FaultProxy.to(own_bucket()) as of_objects,
            FaultProxy.to(node.url) as of_broker,
        ):
            yield Data(of_database, of_objects, of_broker)
    finally:
        await node.remove()


@pytest.fixture
async def machines(tmp_path: Path) -> AsyncGenerator[Installation]:
    async with AsyncExitStack() as stack:
        data = await stack.enter_async_context(running_data())
        (images,) = await stack.enter_async_context(serving(OUTSIDE))
        site = Site("services", tmp_path, {"PORT": str(free_port())}, PROGRAM)
        more = {
            "PORT": str(site.port),
            "FETCH_PORTS": str(images.port),
            "FETCH_ALLOW_NETWORKS": ALLOWED,
            "JOB_LEASE_S": str(LEASE_S),
            "MIN_FREE_BYTES": "0",
        }
        broker = data.broker.url.rpartition("@")[2].rstrip("/")
        web, work = (Machine(name, tmp_path, settings_of(data, **more), broker) for name in ("web", "work"))
        try:
            await web.start()
            await web.until_ready(site)
            await work.start()
            yield Installation(data, web, work, site, images)
        finally:
            for machine in (work, web):
                await machine.end(signal.SIGTERM)


async def test_three_machines_share_the_work_and_outlive_each_other(
    machines: Installation, photo: Path
) -> None:
    steps = [{"op": "resize", "width": 64}]
    async with Client(machines.site) as client:
        assert (await client.register()).status == 201, machines.web.log()
        await client.login()
        made = await client.upload(photo, steps, wait_s=60)
        assert made.status == 201, machines.work.log()
        path = f"/api/images/{made.json['result']['id']}/download"
        away = await client.get(path, allow_redirects=False)
        assert away.headers["Location"].startswith(f"{PUBLIC_STORE}/")
        assert '"job_completed"' in machines.work.log()
        assert '"job_completed"' not in machines.web.log()
        assert (machines.web.directory / "data").is_dir()
        assert (machines.work.directory / "data").is_dir()

        url = machines.images.serve("/late.jpg", picture())
        with machines.images.holding(url):
            late = await client.post("/api/images", json={"image_url": url, "operations": steps})

            async def fetching() -> bool:
                return machines.images.request_counts["/late.jpg"] == 1

            await until(fetching)
            await machines.work.end(signal.SIGKILL)
        await machines.work.start()
        assert (await client.job_done(late.json["id"]))["status"] == "completed"

        machines.data.database.cut()
        answer = await client.get("/api/images")
        assert (answer.status, answer.code) == (503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        machines.data.database.restore()
        await machines.site.ready()
        assert (await client.upload(photo, steps, wait_s=60)).status == 201
