"""A render process loads what its files need, and no more: NumPy takes 13 MiB, libheif and libjxl 6 each."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

RENDER = """
import sys
from pathlib import Path
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert, Resize
from libs.imaging.pipeline import render
source, target, name = sys.argv[1:]
render(Path(source), Path(target), [Resize(width=20), Convert(format=name)], Limits())
print({"numpy", "pi_heif", "pillow_jxl"} & set(sys.modules))
"""


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif"])
def test_an_ordinary_photo_is_rendered_without_numpy_libheif_and_libjxl(tmp_path: Path, name: str) -> None:
    Image.radial_gradient("L").convert("RGB").save(tmp_path / "photo", name)
    command = [sys.executable, "-c", RENDER, str(tmp_path / "photo"), str(tmp_path / "result"), name]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert ran.stdout.strip() == "set()"
