"""Faults of a file system: files that cannot be deleted or linked, and files that cannot grow."""

import asyncio
import resource
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path


@asynccontextmanager
async def immutable(path: Path) -> AsyncGenerator[None]:
    """Forbid everybody, root too, to delete a file or to give it another name."""
    await asyncio.to_thread(subprocess.run, ["chattr", "+i", path], check=True)
    try:
        yield
    finally:
        await asyncio.to_thread(subprocess.run, ["chattr", "-i", path], check=True)


@contextmanager
def files_of_at_most(size_bytes: int) -> Generator[None]:
    """Let the kernel write the part of the data that fits, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
