"""Connections and the limit on open files: a process never runs out of files for its own work."""

from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from apps.http.connection_limits import FILES_A_CONNECTION, RESERVED_FILES
from tests.api.raw_connections import HEAD, connected, is_alive
from tests.support.site import PROGRAM, running_site
from tests.support.waiting import until_equal


async def test_connections_stay_below_the_limit_on_open_files_which_is_raised(tmp_path: Path) -> None:
    limits = 'ulimit -S -n 280; ulimit -H -n 320; exec "$0" "$@"'
    program = ("sh", "-c", limits, *PROGRAM)
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(
            running_site("embedded", tmp_path / "site", program, REQUEST_HEAD_S="600")
        )
        process = psutil.Process(site.apps["serve"].pid)
        for _ in range(100):
            await stack.enter_async_context(connected(site, HEAD))

        async def accepted() -> int:
            found = process.net_connections("tcp")
            return sum(one.laddr.port == site.port and one.status == "ESTABLISHED" for one in found)

        await until_equal((320 - RESERVED_FILES) // FILES_A_CONNECTION, accepted)
        assert await is_alive(site)
