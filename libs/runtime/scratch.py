"""A directory for this process's temporary files, and locks that end with the process."""

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
    """Create a directory in `parent` and remove it after the block; remove those of killed processes first.

    Each directory has a lock file, which is locked while its process lives.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with (parent / LOCK).open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)  # or a process that starts now would remove ours
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
        return  # its process lives, or it is no scratch directory
    except FileNotFoundError:
        shutil.rmtree(directory, ignore_errors=True)  # killed before it had its lock, or being removed


def lock_file(path: Path) -> int | None:
    """Lock `path` until this process ends and return its handle; None when another process has the lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
