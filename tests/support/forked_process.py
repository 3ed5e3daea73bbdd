"""Start `darkroom` by a fork of a process that has imported it already."""

import asyncio
import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.support import fork_server
from tests.support.waiting import WAIT_S


class ForkedProcess:
    """A running process, with what tests use of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._writer = writer
        self._end = asyncio.create_task(self._ended(reader))

    async def wait(self) -> int:
        """Return the return code at the end; minus the signal's number if one ended it."""
        return await asyncio.shield(self._end)

    def send_signal(self, number: int) -> None:
        if self.returncode is not None:
            raise ProcessLookupError(self.pid)
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def _ended(self, reader: asyncio.StreamReader) -> int:
        self.returncode = int(await reader.readline())
        self._writer.close()
        return self.returncode


async def start_forked(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    directory: Path,
    log: Path,
    *,
    errors: Path | None = None,
    typed: Path = Path(os.devnull),
) -> ForkedProcess:
    """Run `darkroom` with these arguments; `typed` is its standard input.

    Its output goes to the end of `log`, and its standard error to the end of `errors` or also of `log`.
    """
    log.touch()  # a test may read it at once
    request = fork_server.Request(
        arguments=list(arguments),
        environment=dict(environment),
        directory=str(directory),
        log=str(log),
        errors=str(errors or log),
        typed=str(typed),
    )
    reader, writer = await asyncio.open_unix_connection(_address())
    writer.write(json.dumps(request).encode() + b"\n")
    async with asyncio.timeout(WAIT_S):
        pid = int(await reader.readline())
    return ForkedProcess(pid, reader, writer)


@cache
def _address() -> str:
    """Start the fork server of this test process; it ends with this process, which holds its input."""
    path = f"{mkdtemp(prefix='darkroom-')}/fork"
    ready, write = os.pipe()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.fork_server", path, str(write)],
        stdin=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        pass_fds=[write],
        start_new_session=True,
    )
    atexit.register(server.communicate)
    os.close(write)
    with os.fdopen(ready, "rb") as pipe:
        assert pipe.read() == b"", "the fork server listens and has closed its end"
    return path
