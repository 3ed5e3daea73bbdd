"""A small file system that can be filled up, seen by every process of this machine."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

MOUNT_AND_WAIT = 'mount -t tmpfs -o size="$1" darkroom-chaos "$2" && echo mounted && exec sleep infinity'
BLOCK_BYTES = 4096


class SmallDisk:
    """A file system in memory; `path` is its root."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, *, leave_bytes: int) -> None:
        """Leave only so much free."""
        state = os.statvfs(self.path)
        free = state.f_bavail * state.f_frsize
        with self._filler.open("ab") as filler:
            while free > leave_bytes:
                size = min(free - leave_bytes, 1 << 20)
                filler.write(bytes(size))
                free -= size

    def empty(self) -> None:
        self._filler.unlink(missing_ok=True)


@asynccontextmanager
async def small_disk(size_bytes: int, at: Path) -> AsyncGenerator[SmallDisk]:
    """Mount one in a namespace that a process of ours keeps; it is gone with that process.

    Other processes reach it through /proc, so it needs no right of the machine's root.
    """
    at.mkdir(parents=True, exist_ok=True)
    command = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT_AND_WAIT, "sh")
    keeper = await asyncio.create_subprocess_exec(
        *command, str(size_bytes), str(at), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert keeper.stdout is not None
        assert await keeper.stdout.readline() == b"mounted\n"
        yield SmallDisk(Path(f"/proc/{keeper.pid}/root{at}"))
    finally:
        keeper.kill()
        await keeper.communicate()
