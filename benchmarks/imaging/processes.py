"""Measure whole processes: the command `darkroom process`, and a render process after work."""

import ctypes
import os
import resource
import subprocess
import sys
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
START_S = 0.6
WARM_MIB = 90

_WARM = """
import sys
from pathlib import Path
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert, Resize
from libs.imaging.render_and_describe import render_and_describe
folder = Path(sys.argv[1])
for name in ("12.jpg", "2.jpg", "2.webp", "12.jpg"):
    for form in ("jpeg", "webp"):
        operations = [Resize(width=800), Convert(format=form)]
        render_and_describe(folder / name, folder / "warm", operations, Limits())
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""


def print_processes(folder: Path) -> None:
    """Print the CPU time of one command, and the memory that a render process keeps."""
    photo, target = str(folder / "12.jpg"), str(folder / "processed")
    command = ["process", photo, "--op", "resize:width=800", "-o", target, "--quiet", "--force"]
    ctypes.CDLL(None).prctl(
        PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0
    )  # or the server of its processes would not count
    times_s: list[float] = []
    for number in range(4):
        before = _children_s()
        subprocess.run([Path(sys.executable).with_name("darkroom"), *command], check=True)
        times_s += [_children_s() - before] if number else []  # the first run may compile
    print(f"darkroom process of one 12 MP photo: {min(times_s):.2f} s of CPU (target {START_S})")
    made = subprocess.run([sys.executable, "-c", _WARM, str(folder)], check=True, stdout=subprocess.PIPE)
    print(f"a render process after work: {int(made.stdout) / 1024:.0f} MiB (target {WARM_MIB})")


def _children_s() -> float:
    """Return the CPU time of all processes started from here, when they have ended."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
