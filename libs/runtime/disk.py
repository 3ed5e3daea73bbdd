"""Raise one error, `StorageFull`, for every write that a full disk refuses."""

import errno
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import ClassVar

from libs.contracts.outcome import Outcome

NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


class StorageFull(Exception):
    """No space is left to store a file. The same request can succeed once space is free."""

    code = "storage_full"
    outcome: ClassVar[Outcome] = "transient"

    def __init__(self, what: str = "the disk") -> None:
        super().__init__(f"{what} is full")


@contextmanager
def full_disk_errors() -> Generator[None]:
    """Raise `StorageFull` for an `OSError` that says so; other exceptions pass through."""
    try:
        yield
    except OSError as error:
        if is_no_space(error):
            raise StorageFull from error
        raise


def write_all(file: RawIOBase, data: bytes | bytearray) -> None:
    """Write all of `data` to an unbuffered file, whose own `write` may take a part of it.

    Raises:
        OSError: No more could be written, for example because the disk is full.
    """
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]


def is_no_space(error: BaseException) -> bool:
    """Return whether the error says that a disk or a quota of the file system is full."""
    return isinstance(error, OSError) and error.errno in NO_SPACE


def free_bytes(path: Path) -> int:
    """Return how many bytes this process can still write to the file system of `path`."""
    return shutil.disk_usage(path).free
