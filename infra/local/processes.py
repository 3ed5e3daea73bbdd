"""Start processes that outlive this one, and later stop exactly those."""

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STOP_S = 10.0
POLL_S = 0.02


@dataclass(frozen=True)
class Process:
    """A process id and its start time: a reused id has another start time."""

    pid: int
    started: str


def start(
    command: Sequence[str], *, folder: Path, env: Mapping[str, str], log: Path, user: int | None = None
) -> Process:
    """Start `command` in `folder`, in its own session, with its output in `log`.

    If it dies before the caller ends, it becomes a zombie, which `is_alive` counts as dead.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=None if user is None else primary_group(user),
            extra_groups=None if user is None else [],
        )
    return Process(child.pid, started_at(child.pid) or "")


def primary_group(user: int) -> int:
    """Return the id of the user's primary group."""
    return pwd.getpwuid(user).pw_gid


def started_at(pid: int) -> str | None:
    """Return a value that identifies the start time of a process; None if the process has ended.

    A zombie that still has threads has not ended: it holds its ports until the last thread ends.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, threads, started = fields[0], fields[17], fields[19]
        return None if state == "X" or (state == "Z" and threads == "1") else started
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, when = shown.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else when.strip()


def is_alive(process: Process) -> bool:
    """Return whether the process still runs."""
    return started_at(process.pid) == process.started


def stop(process: Process, number: signal.Signals) -> None:
    """Send a signal, then wait for the process and its descendants; kill them after `STOP_S` seconds.

    Does nothing if the process has ended.
    """
    if not is_alive(process):
        return
    family = [process, *_descendants(process.pid)]
    _signal(process, number)
    deadline = time.monotonic() + STOP_S
    while any(map(is_alive, family)):
        if time.monotonic() > deadline:
            for member in family:
                _signal(member, signal.SIGKILL)
        time.sleep(POLL_S)


def _signal(process: Process, number: signal.Signals) -> None:
    if is_alive(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _descendants(pid: int) -> list[Process]:
    shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    children: dict[int, list[int]] = {}
    for line in shown.stdout.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    below = list(children.get(pid, []))
    for parent in below:  # the loop appends to the list
        below += children.get(parent, [])
    return [Process(child, started) for child in below if (started := started_at(child))]
