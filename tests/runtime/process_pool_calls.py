"""Calls that tests make in render processes, which import them by name."""

import inspect
import os
import resource
import signal
import sys
import time
from pathlib import Path

from libs.imaging.errors import UnreadableImage


def double(number: int) -> int:
    return 2 * number


def whoami() -> int:
    return os.getpid()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_the_lock() -> None:
    """Die as a process does that is killed in the moment in which it sends a result."""
    _take_the_lock()
    die()


def stop_with_the_lock() -> None:
    """Stop as a process does that is frozen in the moment in which it sends a result."""
    _take_the_lock()
    os.kill(os.getpid(), signal.SIGSTOP)


def _take_the_lock() -> None:
    frame = inspect.currentframe()
    assert frame is not None
    while "channel" not in frame.f_locals:
        assert frame.f_back is not None
        frame = frame.f_back
    frame.f_locals["channel"].mutex.acquire()


def fail() -> None:
    raise ZeroDivisionError("as requested")


def refuse() -> None:
    raise UnreadableImage("as requested")


def fill_the_disk() -> None:
    with open("/dev/full", "wb", buffering=0) as file:  # noqa: PTH123
        file.write(b"x")


def sleep(path: str) -> None:
    with open(path, "w") as file:  # noqa: PTH123
        file.write(str(os.getpid()))
    time.sleep(3600)


def wait_for(started: str, go: str) -> None:
    """Create the file `started`; return once the file `go` exists."""
    Path(started).touch()
    while not Path(go).exists():
        time.sleep(0.001)


def sleep_through_sigterm(starts: str) -> None:
    """Add a line to the file `starts`; go on after SIGTERM, as a process does that is inside a codec."""
    with Path(starts).open("a") as file:
        file.write("start\n")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)


def allocate(size_bytes: int) -> int:
    return len(bytearray(size_bytes))


def modules() -> set[str]:
    return set(sys.modules)


def limits() -> tuple[int, int, int]:
    """Address space, core size, niceness."""
    return resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CORE)[0], os.nice(0)
