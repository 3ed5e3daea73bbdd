"""A loop that dies ends its process with an error line, so that whoever supervises it starts it again."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.support import breaking_loop
from tests.support.site import App, Site, running_site
from tests.support.waiting import WAIT_S

LOOP_OF = {"api": "remove_unrecorded_objects", "worker": "remove_unrecorded_objects", "scheduler": "purge"}


def program(*apps: str) -> tuple[str, ...]:
    # The script's own folder is no place for imports: -P.
    return sys.executable, "-P", str(Path(breaking_loop.__file__)), ",".join(apps)


async def ended_after_the_break(site: Site) -> dict[str, int | None]:
    """Let the loops die, and return the exit codes of all processes."""
    (site.directory / "break").touch()
    processes, site.apps = site.apps, {}
    try:
        async with asyncio.timeout(WAIT_S):
            return {name: await process.wait() for name, process in processes.items()}
    finally:
        for process in processes.values():
            if process.returncode is None:
                process.kill()


def dead_loops(site: Site, name: str) -> list[str]:
    """Return the loops whose death is in the log, as errors."""
    lines = [line for line in site.log_of(name).read_text().splitlines() if line.startswith("{")]
    events = [json.loads(line) for line in lines]
    return [one["loop"] for one in events if (one["event"], one["level"]) == ("loop_died", "error")]


@pytest.mark.parametrize("app", ["api", "worker", "scheduler"])
async def test_a_dead_loop_of_any_app_ends_the_one_process_that_runs_them_all(
    tmp_path: Path, app: App
) -> None:
    async with running_site("embedded", tmp_path / "site", program(app)) as site:
        assert await ended_after_the_break(site) == {"serve": 1}
        assert dead_loops(site, "serve") == [LOOP_OF[app]]


@pytest.mark.services
async def test_a_dead_loop_ends_a_process_of_its_own(tmp_path: Path) -> None:
    async with running_site("services", tmp_path / "site", program(*LOOP_OF)) as site:
        assert await ended_after_the_break(site) == dict.fromkeys(LOOP_OF, 1)
        assert {name: dead_loops(site, name) for name in LOOP_OF} == {
            name: [loop] for name, loop in LOOP_OF.items()
        }
