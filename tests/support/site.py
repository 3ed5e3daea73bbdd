"""A running Darkroom: real processes, on a free port, with data of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

import aiohttp

from tests.support.forked_process import ForkedProcess, start_forked
from tests.support.migrated_database import copy_migrated_file, migrated_database
from tests.support.ports import free_port
from tests.support.services import own_bucket, own_database, own_vhost
from tests.support.waiting import WAIT_S, until

Kind = Literal["embedded", "services"]
App = Literal["serve", "api", "delivery", "worker", "scheduler"]
Process = asyncio.subprocess.Process | ForkedProcess

STOP_S = 90
PROGRAM = (sys.executable, "-m", "apps.cli")
STANDARD = ("OTEL_", "SENTRY_")  # variables without Darkroom's prefix
SECRET = "a secret that only tests know, long enough"

DELIVERY_SECRET = "a-delivery-secret-that-only-tests-know"

QUICK: Mapping[str, str] = {
    "DELIVERY_KEYS": f"k1:{DELIVERY_SECRET}",
    "DELIVERY_IN_API": "true",
    "RATE_LIMIT_PER_MINUTE": "100000",
    "UPLOAD_TOKEN_LIMIT_PER_MINUTE": "100000",
    "LOGIN_LIMIT_PER_MINUTE": "100000",
    "ACCOUNT_LOGIN_LIMIT_PER_MINUTE": "100000",
    "ADDRESS_LOGIN_LIMIT_PER_MINUTE": "100000",
    "REGISTER_LIMIT_PER_MINUTE": "100000",
    "TICK_S": "0.5",
    "RETRY_BASE_S": "0.2",
    "MAX_ATTEMPTS": "5",
    "MIN_FREE_BYTES": "0",
    "JOB_TIMEOUT_S": "600",  # a busy machine may take long over a job
    "LOG_FORMAT": "json",
}


def variable(name: str) -> str:
    """Return the environment variable of a setting that a test names without its prefix."""
    return name if name.startswith(STANDARD) else f"DARKROOM_{name}"


class Site:
    """One Darkroom; `apps` are its processes by name.

    A `program` is started as it is. Without one, `darkroom` is forked from a process that has imported it.
    """

    def __init__(
        self, kind: Kind, directory: Path, settings: Mapping[str, str], program: Sequence[str] | None = None
    ) -> None:
        self.kind: Kind = kind
        self.program: Sequence[str] = program or PROGRAM
        self.forked = program is None
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {**QUICK, "DATA_DIR": str(directory / "data"), "PORT": str(self.port), **settings}
        self.apps: dict[str, Process] = {}
        self.app_names: tuple[App, ...] = ("serve",) if kind == "embedded" else ("api", "worker", "scheduler")

    @property
    def environment(self) -> dict[str, str]:
        return self.environment_of("")

    def environment_of(self, app: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
        return inherited | {variable(name): value for name, value in self._settings_of(app).items()}

    def _settings_of(self, app: str) -> dict[str, str]:
        of_all = {name: value for name, value in self.settings.items() if "." not in name}
        own = f"{app}."
        return of_all | {
            name.removeprefix(own): value for name, value in self.settings.items() if name.startswith(own)
        }

    async def run(self, *command: str) -> None:
        """A `darkroom` command, to its end; its output is in `log_of("commands")`."""
        process = await self._start(command, self.environment, self.log_of("commands"))
        assert await process.wait() == 0, (command, self.log_of("commands").read_text())

    async def start(self, name: str, *, called: str | None = None) -> Process:
        """One process; its log is `log_of(name)`."""
        called = called or name
        process = await self._start([name], self.environment_of(name), self.log_of(called))
        self.apps[called] = process
        return process

    async def _start(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
        if self.forked:
            return await start_forked(command, environment, self.directory, log)
        with log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *self.program,
                *command,
                env=environment,
                cwd=self.directory,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    async def start_all(self) -> None:
        for name in self.app_names:
            await self.start(name)
        await self.ready()

    async def ready(self) -> None:
        """Until the API says that all its backends answer."""
        async with asyncio.timeout(WAIT_S), aiohttp.ClientSession() as client:
            while not await is_ready(client, self.url):
                for name, process in self.apps.items():
                    assert process.returncode is None, f"{name} has ended:\n{self.log_of(name).read_text()}"
                await asyncio.sleep(0.05)

    async def logged(self, name: str, event: str) -> None:
        """Wait until a process has logged an event."""
        line = f'"event": "{event}"'

        async def found() -> bool:
            return line in self.log_of(name).read_text()

        await until(found)

    async def kill(self, name: str) -> None:
        """End a process without any warning, as a power cut would."""
        process = self.apps.pop(name)
        process.kill()
        await process.wait()

    async def stop(self, name: str) -> None:
        """Ask a process to end, and see that it does; whatever happens, none outlives its test."""
        process = self.apps.pop(name)
        with suppress(ProcessLookupError):  # it has ended by itself: its test has failed for that already
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except BaseException:
            with suppress(ProcessLookupError):
                process.kill()
            raise

    async def stop_all(self) -> None:
        """Stop all processes together, then raise the first error."""
        ends = await asyncio.gather(*(self.stop(name) for name in list(self.apps)), return_exceptions=True)
        for failed in ends:
            if failed is not None:
                raise failed

    def log_of(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.directory.glob("*.log")))


async def is_ready(client: aiohttp.ClientSession, url: str) -> bool:
    """Return whether the site answers and reaches all its backends."""
    try:
        async with client.get(f"{url}/health/ready") as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False


@asynccontextmanager
async def running_site(
    kind: Kind, directory: Path, program: Sequence[str] | None = None, **settings: str
) -> AsyncGenerator[Site]:
    """A migrated, started site; its data are gone at the end. A setting `app.NAME` is that app's alone."""
    directory.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        is_new = program is not None or "DATABASE_URL" in settings
        if kind == "services":
            database = own_database() if is_new else migrated_database()
            settings = {
                "DATABASE_URL": await stack.enter_async_context(database),
                "BROKER_URL": await stack.enter_async_context(own_vhost()),
                "OBJECTS_URL": own_bucket(),
                "SECRET_KEY": SECRET,
                **settings,
            }
        site = Site(kind, directory, settings, program)
        if kind == "services" and is_new:
            await site.run("migrate")
        elif kind == "embedded" and not is_new:
            await copy_migrated_file(Path(site.settings["DATA_DIR"]) / "darkroom.sqlite")
        try:
            await site.start_all()
            yield site
        finally:
            await site.stop_all()
