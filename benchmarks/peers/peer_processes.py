"""Start the services to compare with, each on a free port of this machine."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import psutil
from msgspec import Struct

from tests.support.ports import free_port
from tests.support.services import own_database
from tests.support.waiting import until

SERVICE = Path(__file__).with_name("django_service")


class Peer(Struct, frozen=True):
    """A running service, and the processes whose CPU time counts as its own."""

    url: str
    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """Return the CPU time of its processes and their children so far."""
        return sum(cpu_of_tree(pid) for pid in self.pids)


def cpu_of_tree(pid: int) -> float:
    """Return the CPU time of a process and all below it, in seconds."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(spent.user + spent.system for spent in times)


@asynccontextmanager
async def ipx(program: Path, folder: Path) -> AsyncGenerator[Peer]:
    """Run ipx over the images of a folder."""
    port = free_port()
    command = (
        "node",
        str(program),
        "serve",
        "--dir",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    )
    async with _process(command, folder.parent / "ipx.log") as pid:
        await _answering(f"http://127.0.0.1:{port}/")
        yield Peer(f"http://127.0.0.1:{port}", (pid,))


@asynccontextmanager
async def thumbor(program: Path, folder: Path) -> AsyncGenerator[Peer]:
    """Run thumbor over the images of a folder: two processes, which keep neither sources nor results."""
    port, settings = free_port(), folder.parent / "thumbor.conf"
    settings.write_text(
        f"LOADER = 'thumbor.loaders.file_loader'\nFILE_LOADER_ROOT_PATH = {str(folder)!r}\n"
        "STORAGE = 'thumbor.storages.no_storage'\nALLOW_UNSAFE_URL = True\n"
    )
    command = (str(program), "--ip", "127.0.0.1", "--port", str(port), "--processes", "2")
    async with _process((*command, "--conf", str(settings)), folder.parent / "thumbor.log") as pid:
        await _answering(f"http://127.0.0.1:{port}/healthcheck")
        yield Peer(f"http://127.0.0.1:{port}", (pid,))


@asynccontextmanager
async def django(programs: Path, redis: str, folder: Path) -> AsyncGenerator[Peer]:
    """Run the Django service in a folder: gunicorn with 3 x 2 threads, Celery with 4 processes, Redis."""
    port, redis_port = free_port(), free_port()
    async with AsyncExitStack() as stack:
        environment = {
            **os.environ,
            "PYTHONPATH": str(SERVICE),
            "DJANGO_SETTINGS_MODULE": "gallery.settings",
            "GALLERY_DATABASE": await stack.enter_async_context(own_database()),
            "GALLERY_BROKER": f"redis://127.0.0.1:{redis_port}/0",
            "GALLERY_FILES": str(folder / "files"),
        }
        server = (redis, "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "")
        await stack.enter_async_context(_process(server, folder / "redis.log", cwd=folder))
        migrate = (str(programs / "python"), "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0")
        migration = await asyncio.create_subprocess_exec(*migrate, env=environment)
        assert await migration.wait() == 0
        web = (str(programs / "gunicorn"), "--workers", "3", "--threads", "2", "gallery.wsgi")
        worker = (str(programs / "celery"), "-A", "gallery.celery", "worker", "--concurrency", "4")
        pids = [
            await stack.enter_async_context(
                _process(command, folder / f"{command[0].rpartition('/')[2]}.log", environment)
            )
            for command in ((*web, "--bind", f"127.0.0.1:{port}"), worker)
        ]
        await _answering(f"http://127.0.0.1:{port}/images/0/")
        yield Peer(f"http://127.0.0.1:{port}", tuple(pids))


@asynccontextmanager
async def _process(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> AsyncGenerator[int]:
    """Run a program in a process group of its own, which ends with the block."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, cwd=cwd, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await process.wait()


async def _answering(url: str) -> None:
    async def answers() -> bool:
        try:
            async with aiohttp.ClientSession() as client, client.get(url):
                return True
        except aiohttp.ClientConnectionError:
            return False

    await until(answers)
