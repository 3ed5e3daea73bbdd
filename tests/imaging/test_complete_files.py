"""A result is written whole, or not without an error."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, signal, sys
from pathlib import Path
from PIL import Image
from libs.imaging.frames.frame_decoder import Frame
from libs.imaging.frames.frame_encoder import write
from libs.imaging.operations.operation import Output

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
target, name = Path(sys.argv[1]), sys.argv[2]
frames = [Frame(Image.effect_noise((400, 300), 90).convert("RGB"), 0)]
write(frames, 0, target, Output(format=name, quality=95))
size = target.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size - 100, size - 100))  # the last piece does not fit
try:
    write(frames, 0, target, Output(format=name, quality=95))
except OSError:
    print("error")
"""


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "tiff", "bmp", "avif"])
def test_a_disk_that_takes_a_part_of_a_result_is_an_error(name: str, tmp_path: object) -> None:
    command = [sys.executable, "-c", SCRIPT, f"{tmp_path}/result", name]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == "error\n"
