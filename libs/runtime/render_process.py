"""The start of a render process. It runs there, so it imports little."""

import ctypes
import os
import resource
import signal

PR_SET_PDEATHSIG = 1


def prepare(memory_bytes: int, niceness: int) -> None:
    """Set the limits of this process, and have it end with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a Python handler would wait for the codec to return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if niceness:
        os.nice(niceness)
    if os.uname().sysname == "Linux":
        # The fork server ends with our parent; without this a busy render process would outlive both.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
