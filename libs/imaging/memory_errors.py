"""Translate what a process raises that may not have more memory."""

import errno
from collections.abc import Generator
from contextlib import contextmanager

from libs.imaging.errors import OutOfMemory


@contextmanager
def memory_errors() -> Generator[None]:
    """Translate the errors of Python and of the system, which maps files into memory.

    Raises:
        OutOfMemory: There was one of them.
    """
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory from error
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise OutOfMemory from error
        raise
