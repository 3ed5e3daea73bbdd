"""Run `darkroom` commands to their end, each forked from a process that has imported it."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from tests.support.forked_process import start_forked
from tests.support.site import Site
from tests.support.waiting import WAIT_S


class Ended(Struct, frozen=True):
    """A command that ended."""

    status: int
    out: str
    errors: str


async def run_command(site: Site, *arguments: str, typed: str = "") -> Ended:
    """Run a command with the settings of a site, and `typed` as its standard input.

    Raises:
        AssertionError: It ended with a traceback.
    """
    with TemporaryDirectory(prefix="darkroom-command-") as name:
        directory = Path(name)
        typed_file, out, errors = (directory / stream for stream in ("in", "out", "errors"))
        typed_file.write_text(typed)
        process = await start_forked(
            arguments, site.environment, directory, out, errors=errors, typed=typed_file
        )
        try:
            async with asyncio.timeout(WAIT_S):
                status = await process.wait()
        except BaseException:
            process.kill()
            raise
        ended = Ended(status, out.read_text(), errors.read_text())
    assert "Traceback" not in ended.errors, ended.errors
    return ended
