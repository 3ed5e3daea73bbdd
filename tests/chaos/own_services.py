"""PostgreSQL, RabbitMQ and an S3 server that the suite may kill and start again with their data."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import aiohttp
import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import psutil
from msgspec import Struct
from yarl import URL

from infra.local import programs, record
from infra.local.postgres import Postgres
from infra.local.processes import Process
from infra.local.rabbitmq import RabbitMQ
from infra.local.s3 import S3
from infra.local.service import Service
from tests.chaos.small_disk import SmallDisk, small_disk
from tests.support.waiting import WAIT_S

SCRIPT = Path(__file__).resolve().parents[2] / "infra/local/services"
STOP_S = 30
STORE_BYTES = 256 * 1024**2


class Server:
    """A service that restarts with the same program, data and port."""

    def __init__(self, service: Service, known: record.Record) -> None:
        process = psutil.Process(known.processes[0].pid)
        self.name = service.name
        self._service = service
        self._record = known
        self._process = process
        self._user = process.uids().effective
        self._group = process.gids().effective
        self.folder = Path(known.folder)
        self.command: list[str] = process.cmdline()
        self.environment = process.environ()
        self.urls = service.exports(known)
        self._started: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and return once it answers."""
        self._started = await asyncio.to_thread(self._start)
        self._process = psutil.Process(self._started.pid)
        async with asyncio.timeout(WAIT_S):
            while not await asyncio.to_thread(self._service.answers, self._record):
                assert self._started.poll() is None, f"{self._service.name} has ended:\n{self.log()}"
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """Kill it by SIGKILL, as a power cut would end it."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Stop it in order; PostgreSQL then ends its sessions."""
        await self._end(signal.SIGINT if isinstance(self._service, Postgres) else signal.SIGTERM)

    async def move_to(self, data: Path) -> None:
        """Start it again with its data, none yet, in another folder; for the S3 server."""
        await self.stop()
        self.command[-1] = str(data)
        await self.start()

    def freeze(self) -> None:
        """Stop all its processes by SIGSTOP: its connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP, self._family())

    def thaw(self) -> None:
        self._signal(signal.SIGCONT, self._family())

    def connections(self) -> list[str]:
        """Return the clients that are connected, but for those of the server itself."""
        port = self._record.ports[self._service.ports[0]]
        found = {
            str(one.raddr)
            for process in self._family()
            for one in process.net_connections("tcp")
            if one.status == psutil.CONN_ESTABLISHED and one.laddr and one.laddr.port == port
        }
        return sorted(found)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    async def _end(self, number: signal.Signals) -> None:
        family = self._family()
        self._signal(number, family if number == signal.SIGKILL else family[:1])
        _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=STOP_S)
        self._signal(signal.SIGKILL, alive)
        if self._started is not None:
            await asyncio.to_thread(self._started.wait)
            self._started = None

    def _family(self) -> list[psutil.Process]:
        """The server first."""
        try:
            return [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _signal(self, number: signal.Signals, processes: Sequence[psutil.Process]) -> None:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _start(self) -> subprocess.Popen[bytes]:
        other_user = self._user != os.geteuid()
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self._user if other_user else None,
                group=self._group if other_user else None,
                extra_groups=[] if other_user else None,
            )


class Urls(Struct, frozen=True):
    """The backends of an installation, past any proxy."""

    database: str
    broker: str
    objects: str


class OwnServices:
    """The three servers; the S3 server keeps its data on a small disk."""

    def __init__(self, folder: Path, store: SmallDisk) -> None:
        self.postgres, self.rabbitmq, self.s3 = (
            Server(service, _record_of(service, folder)) for service in (Postgres(), RabbitMQ(), S3())
        )
        self.store = store

    @property
    def servers(self) -> tuple[Server, ...]:
        return self.postgres, self.rabbitmq, self.s3

    async def new_urls(self) -> Urls:
        """Create a database and a virtual host; a bucket is created when it is first used."""
        name = f"darkroom-{uuid4().hex}"
        database, broker, objects = (
            server.urls[f"DARKROOM_TEST_{variable}_URL"]
            for server, variable in zip(self.servers, ("DATABASE", "BROKER", "OBJECTS"), strict=True)
        )
        connection = cast("Any", await asyncpg.connect(database))
        await connection.execute(f'create database "{name}"')
        # The server runs without it, and would lose what it confirmed in the moment before it is killed.
        await connection.execute(f'alter database "{name}" set synchronous_commit = on')
        await connection.close()
        management = self.rabbitmq.urls["DARKROOM_TEST_RABBITMQ_MANAGEMENT_URL"]
        async with aiohttp.ClientSession(raise_for_status=True) as client:
            await client.put(f"{management}/api/vhosts/{name}")
            rights = {"configure": ".*", "write": ".*", "read": ".*"}
            await client.put(f"{management}/api/permissions/{name}/{URL(broker).user}", json=rights)
        return Urls(
            *(
                str(URL(url).with_path(f"/{name}").with_query(URL(url).query))
                for url in (database, broker, objects)
            )
        )

    async def rabbitmqctl(self, *arguments: str) -> None:
        """Run RabbitMQ's own tool on the node."""
        tool = str(programs.need("rabbitmqctl"))
        process = await asyncio.create_subprocess_exec(
            tool, *arguments, env=self.rabbitmq.environment, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0, arguments


@asynccontextmanager
async def own_services() -> AsyncGenerator[OwnServices]:
    """Start the services as local programs in a folder of their own; nothing is left of them at the end."""
    folder = Path(tempfile.mkdtemp(prefix="darkroom-chaos-", dir="/var/tmp"))
    folder.chmod(0o755)  # PostgreSQL's own user enters it
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        store = await stack.enter_async_context(small_disk(STORE_BYTES, folder / "store"))
        stack.push_async_callback(_services, "down", folder)
        await _services("up", folder)
        services = OwnServices(folder, store)
        for server in services.servers:
            stack.push_async_callback(server.kill)
        await services.s3.move_to(store.path)
        yield services


def _record_of(service: Service, folder: Path) -> record.Record:
    stored = json.loads((folder / f"{service.name}.json").read_text())
    stored["processes"] = [Process(**process) for process in stored["processes"]]
    return record.Record(**stored)


async def _services(command: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), command, env=_environment(folder), stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0, command


def _environment(folder: Path) -> dict[str, str]:
    """Without a container engine: the servers must be processes of this machine."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    return inherited | {"DARKROOM_SERVICES_DIR": str(folder), "DOCKER_HOST": "unix:///nonexistent"}
