"""The start of a render process. It runs there, so it imports little."""

import ctypes
import os
import resource
import signal
from contextlib import suppress

PR_SET_PDEATHSIG = 1
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_KEPT_BYTES = 32 * 1024**2  # of one allocation; glibc takes no more
KEPT_BYTES = 48 * 1024**2  # the pixels of 12 MP


def prepare(memory_bytes: int, niceness: int) -> None:
    """Set the limits of this process, and have it end with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a Python handler would wait for the codec to return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if niceness:
        os.nice(niceness)
    if os.uname().sysname == "Linux":
        libc = ctypes.CDLL(None)
        # The fork server ends with our parent; without this a busy render process would outlive both.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _keep_freed_memory(libc)


def _keep_freed_memory(libc: ctypes.CDLL) -> None:
    """Have glibc keep the memory of one image for the next: fresh pages cost a third of a small render."""
    with suppress(AttributeError):  # musl has no such options
        libc.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
