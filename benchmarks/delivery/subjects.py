"""Running services that deliver images by URL: Darkroom embedded and on services, ipx, thumbor."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
from msgspec import Struct

from benchmarks.delivery.cases import CASES, Case
from benchmarks.main_job import account, drained
from benchmarks.peers import installed, peer_processes
from benchmarks.peers.peer_processes import Peer
from tests.support.addresses import signed
from tests.support.client import Client
from tests.support.ports import free_port
from tests.support.site import Kind, Site, is_ready, running_site
from tests.support.waiting import until

UPLOADS_AT_ONCE = 4
PAUSE_S, IDLE = 0.3, 0.2  # a service is at rest when it uses less of a processor than this
RENDITIONS = 100  # of each photograph in a round: more than a round requests on a fast machine
PROGRAM = (sys.executable, "-m", "apps.cli")  # of its own: a forked one shares memory with what forked it


class Cpu(Struct, frozen=True):
    """Seconds of CPU so far: of the process that answers, and of those below it, which render."""

    own_s: float
    renders_s: float


class Subject(Struct, frozen=True):
    """A service as one of the columns: its addresses for each case in each round, and its CPU time."""

    name: str
    url: str
    paths: Callable[[Case, int], list[str]]
    pid: int

    def cpu(self) -> Cpu:
        """Return the CPU time of its processes so far."""
        process = psutil.Process(self.pid)
        own, *others = (each.cpu_times() for each in (process, *process.children(recursive=True)))
        return Cpu(own.user + own.system, sum(spent.user + spent.system for spent in others))

    async def settled(self) -> None:
        """Wait until its processes do nothing: they may still work for clients that have gone."""
        before, spent_s = self.cpu(), 1.0
        while spent_s > IDLE * PAUSE_S:
            await asyncio.sleep(PAUSE_S)
            after = self.cpu()
            spent_s = after.own_s + after.renders_s - before.own_s - before.renders_s
            before = after


class Darkroom(Struct, frozen=True):
    """A running site with its photographs."""

    site: Site
    client: Client
    url: str  # of the process that delivers
    pid: int
    ids: dict[str, list[str]]  # of the images, by their folder

    def unstored(self) -> Subject:
        """Return the site with presets whose results are not kept."""
        return Subject(f"{self.site.kind}, not kept", self.url, self._unstored_paths, self.pid)

    def stored(self) -> Subject:
        """Return the site with results that are kept: other ones in each round."""
        return Subject(f"{self.site.kind}, kept", self.url, self._stored_paths, self.pid)

    def _unstored_paths(self, case: Case, number: int) -> list[str]:
        return [signed(case.preset, image) for image in self.ids[case.photos]]

    def _stored_paths(self, case: Case, number: int) -> list[str]:
        renditions = range(number * RENDITIONS, (number + 1) * RENDITIONS)
        return [signed(case.steps(each), image) for each in renditions for image in self.ids[case.photos]]


@asynccontextmanager
async def darkroom(kind: Kind, folder: Path, photos: Path) -> AsyncGenerator[Darkroom]:
    """Run a Darkroom that has stored the photographs; on services it has a delivery process of its own."""
    port = free_port()
    settings = {"TICK_S": "1", "delivery.PORT": str(port), "DELIVERY_IN_API": "false"}
    async with running_site(kind, folder, PROGRAM, **settings) as site, account(site) as client:
        name, url = "serve", site.url
        if kind == "services":
            name, url = "delivery", f"http://127.0.0.1:{port}"
            await site.start(name)
            async with aiohttp.ClientSession() as session:
                await until(lambda: is_ready(session, url))
        for case in CASES:
            preset = {"operations": case.operations, "cache": False}
            answer = await client.call("PUT", f"/api/presets/{case.preset}", json=preset)
            assert answer.status == 201, answer
        ids = {part.name: await _uploaded(client, part) for part in _in(photos)}
        await _undescribed(client)
        yield Darkroom(site, client, url, site.apps[name].pid, ids)


async def _undescribed(client: Client) -> None:
    """Cancel the jobs that hash and describe the photographs, and wait until none of them runs."""
    while queued := (await client.get("/api/jobs?status=queued&limit=100")).json:
        for job in queued:
            await client.call("DELETE", f"/api/jobs/{job['id']}")
    await drained(client)


async def _uploaded(client: Client, folder: Path) -> list[str]:
    free = asyncio.Semaphore(UPLOADS_AT_ONCE)

    async def uploaded(path: Path) -> str:
        async with free:
            answer = await client.upload(path, retention="keep")
        assert answer.status == 201, answer
        return answer.json["id"]

    return await asyncio.gather(*map(uploaded, _in(folder)))


def _in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


@asynccontextmanager
async def ipx(photos: Path) -> AsyncGenerator[Subject | None]:
    """Run ipx over the photographs; None where it cannot be installed."""
    program = installed.ipx_program()
    if program is None:
        print("no comparison with ipx: it needs node and npm")
        yield None
        return
    async with peer_processes.ipx(program, photos) as peer:
        yield _peer("ipx", peer, photos, lambda case: f"/{case.ipx}")


@asynccontextmanager
async def thumbor(photos: Path) -> AsyncGenerator[Subject | None]:
    """Run thumbor over the photographs; None where it cannot be installed."""
    program = installed.thumbor_program()
    if program is None:
        print("no comparison with thumbor: it cannot be installed from PyPI")
        yield None
        return
    async with peer_processes.thumbor(program, photos) as peer:
        yield _peer("thumbor", peer, photos, lambda case: f"/unsafe/{case.thumbor}")


def _peer(name: str, peer: Peer, photos: Path, prefix: Callable[[Case], str]) -> Subject:
    def paths(case: Case, number: int) -> list[str]:
        names = [path.name for path in _in(photos / case.photos)]
        return [f"{prefix(case)}/{case.photos}/{each}" for each in names]

    return Subject(name, peer.url, paths, peer.pids[0])
