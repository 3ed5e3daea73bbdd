"""A command on a terminal of its own, as a person sees it."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from tests.support.site import Site
from tests.support.waiting import WAIT_S

READ_BYTES = 65_536


class Terminal:
    """What a running command has shown so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._shown = b""
        self._more = asyncio.Event()

    @property
    def shown(self) -> str:
        return self._shown.decode(errors="replace")

    async def until(self, pattern: str) -> re.Match[str]:
        """The first place that matches, as soon as it is shown."""
        async with asyncio.timeout(WAIT_S):
            while (found := re.search(pattern, self.shown)) is None:
                self._more.clear()
                await self._more.wait()
        return found

    async def ended(self) -> int:
        """Its exit code, once it has one."""
        async with asyncio.timeout(WAIT_S):
            return await self.process.wait()

    def take(self, master: int) -> None:
        """Read what is there; a terminal whose programs have all ended has nothing more."""
        with suppress(OSError):
            self._shown += os.read(master, READ_BYTES)
            self._more.set()


@asynccontextmanager
async def on_terminal(site: Site, *command: str) -> AsyncGenerator[Terminal]:
    """A command of a site's program, with its settings; killed at the end if it still runs."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    loop = asyncio.get_running_loop()
    try:
        process = await asyncio.create_subprocess_exec(
            *site.program,
            *command,
            env=site.environment | {"TERM": "xterm", "COLUMNS": "120"},
            cwd=site.directory,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        terminal = Terminal(process)
        loop.add_reader(master, terminal.take, master)
        try:
            yield terminal
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            loop.remove_reader(master)
    finally:
        os.close(master)
        os.close(slave)
