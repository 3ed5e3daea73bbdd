"""The memory of a delivering process and of its render processes, in megabytes."""

from pathlib import Path

import psutil
from msgspec import Struct

MB = 1e6


class Resident(Struct, frozen=True):
    """Resident memory now, and at most so far."""

    now: float
    peak: float


def of_process(pid: int) -> Resident:
    """Return the memory of one process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return Resident(_mb(found["VmRSS"]), _mb(found["VmHWM"]))


def of_renders(pid: int) -> Resident:
    """Return the largest memory among the render processes that a process's fork servers have forked."""
    servers = psutil.Process(pid).children()
    each = [of_process(render.pid) for server in servers for render in server.children()]
    return Resident(max(one.now for one in each), max(one.peak for one in each))


def _mb(text: str) -> float:
    return int(text.split()[0]) * 1024 / MB
