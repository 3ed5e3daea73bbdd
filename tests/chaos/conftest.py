"""Fixtures: services of the suite's own, one installation until a fault breaks it, the report."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from traceback import format_exception_only

import pytest

from tests.chaos.installation import APPS, running_installation
from tests.chaos.own_services import OwnServices, own_services
from tests.chaos.report import Line, table
from tests.chaos.small_disk import small_disk
from tests.chaos.workload import Workload, open_workload
from tests.support.site import App

SCRATCH_BYTES = 64 * 1024**2

lines = pytest.StashKey[list[Line]]()


class Stage:
    """One installation for all faults, replaced after a fault broke it, or for one of other processes."""

    def __init__(self, services: OwnServices, directory: Path) -> None:
        self._services = services
        self._directory = directory
        self._stack = AsyncExitStack()
        self._workload: Workload | None = None
        self._built = 0

    async def workload(self, apps: tuple[App, ...] | None = None) -> Workload:
        """Return the workload on an installation of these processes; without `apps` on that which runs."""
        if self._workload is not None and apps not in (None, self._workload.installation.site.app_names):
            await self.clear()
        if self._workload is None:
            self._built += 1
            self._workload = await self._build(self._directory / str(self._built), apps or APPS)
        return self._workload

    async def clear(self) -> None:
        """Stop what runs; the next call of `workload` starts anew."""
        self._workload = None
        await self._stack.aclose()

    async def _build(self, directory: Path, apps: tuple[App, ...]) -> Workload:
        enter = self._stack.enter_async_context
        scratch = await enter(small_disk(SCRATCH_BYTES, directory / "scratch"))
        urls = await self._services.new_urls()
        running = running_installation(
            directory / "site", urls, services=self._services, scratch=scratch, apps=apps
        )
        installation = await enter(running)
        workload = await enter(open_workload(installation))
        # RabbitMQ writes the list of its quorum queues some seconds late, but before it stops in order.
        await self._services.rabbitmq.stop()
        await self._services.rabbitmq.start()
        await installation.site.ready()
        return workload


@pytest.fixture(scope="session")
async def services() -> AsyncIterator[OwnServices]:
    async with own_services() as services:
        yield services


@pytest.fixture(scope="session")
async def stage(services: OwnServices, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(services, tmp_path_factory.mktemp("chaos"))
    yield stage
    await stage.clear()


class Report:
    """Prints the outcome of each fault at once, and keeps it for the table."""

    def __init__(self, config: pytest.Config) -> None:
        self._lines = config.stash.setdefault(lines, [])
        self._terminal = config.pluginmanager.get_plugin("terminalreporter")
        self._capture = config.pluginmanager.get_plugin("capturemanager")

    def add(self, line: Line, found: Sequence[str]) -> None:
        self._lines.append(line)
        self._print("", line.row(), *found)

    def broken(self, fault: str, error: BaseException) -> None:
        """Print the error that ended the trial early."""
        self._print("", f"{fault}:", *format_exception_only(error), str(getattr(error, "exceptions", "")))

    def _print(self, *texts: str) -> None:
        if self._terminal is not None and self._capture is not None:
            with self._capture.global_and_fixture_disabled():
                for text in texts:
                    self._terminal.write_line(text)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """The table that is printed after the run."""
    return Report(request.config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    if found := config.stash.get(lines, None):
        terminalreporter.write_sep("=", "faults, outcomes, recovery times")
        terminalreporter.write_line(table(found))
