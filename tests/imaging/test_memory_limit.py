"""A process that may not have more memory says so, whoever notices: Python, a decoder or the system."""

import subprocess
import sys
from pathlib import Path

import pytest

from libs.imaging.errors import OutOfMemory

ROOT = Path(__file__).parents[2]
MEGABYTE = 1024**2
PROGRAM = """
import resource, sys
from pathlib import Path
from libs.imaging.describe import describe
from libs.imaging.errors import OutOfMemory
from libs.imaging.limits import Limits
from libs.imaging.pipeline import render

small, source, room = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
target = source.with_suffix(".out")
run = {"describe": describe, "render": lambda path, limits: render(path, target, [], limits)}[sys.argv[4]]
run(small, Limits())  # loads the libraries
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))
try:
    run(source, Limits())
except OutOfMemory as error:
    print(error.code)
"""


@pytest.mark.parametrize("call", ["render", "describe"])
@pytest.mark.parametrize("room", [8 * MEGABYTE, 60 * MEGABYTE], ids=["maps no file", "holds no pixels"])
def test_an_image_for_which_there_is_no_memory_is_out_of_memory(call: str, room: int, tmp_path: Path) -> None:
    small, large = _bmp(tmp_path / "small.bmp", 16), _bmp(tmp_path / "large.bmp", 4096)
    arguments = [sys.executable, "-c", PROGRAM, str(small), str(large), str(room), call]
    found = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout.strip() == OutOfMemory.code, found.stderr[-2000:]


def _bmp(path: Path, edge: int) -> Path:
    """Write a black square; the file takes no room on the disk."""
    size = 54 + edge * edge * 3
    head = b"BM" + size.to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    head += b"".join(value.to_bytes(4, "little") for value in (40, edge, edge))
    head += (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(24)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path
