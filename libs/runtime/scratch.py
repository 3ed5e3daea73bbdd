"""A directory for this process's temporary files, gone with it however it ends."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"


@contextmanager
def scratch_directory(parent: Path) -> Generator[Path]:
    """A new directory in `parent`, removed at the end; those of killed processes are removed at the start.

    Each holds a lock file, locked while its process lives.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with (parent / LOCK).open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)  # or another that starts takes ours for dead
        for other in parent.iterdir():
            _remove_if_dead(other)
        own = Path(tempfile.mkdtemp(dir=parent))
        lock = (own / LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    with lock:
        try:
            yield own
        finally:
            shutil.rmtree(own, ignore_errors=True)


def _remove_if_dead(directory: Path) -> None:
    try:
        with (directory / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
    except (BlockingIOError, NotADirectoryError):
        return  # alive, or no such directory
    except FileNotFoundError:
        shutil.rmtree(directory, ignore_errors=True)  # killed before it had its lock, or about to be gone


def lock_file(path: Path) -> int | None:
    """Hold an exclusive lock on `path` until the process ends; None when another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
