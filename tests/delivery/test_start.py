"""The start of a process that delivers images by URL."""

from pathlib import Path

import psutil

from apps.delivery.server import delivering
from tests.support.backends import opened_backends
from tests.support.waiting import until


def render_processes() -> set[int]:
    servers = psutil.Process().children()
    return {render.pid for server in servers for render in server.children()}


async def test_render_processes_are_there_before_the_first_request(tmp_path: Path) -> None:
    before = render_processes()
    async with opened_backends(tmp_path) as backends:

        async def started() -> bool:
            return len(render_processes() - before) == backends.settings.delivery_processes

        async with delivering(backends, started=True):
            await until(started)
        assert render_processes() <= before
