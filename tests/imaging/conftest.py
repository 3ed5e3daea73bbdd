from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import skimage
from PIL import Image

from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import Rendered, render

Save: TypeAlias = Callable[..., Path]
Run: TypeAlias = Callable[..., tuple[Rendered, Image.Image]]


@pytest.fixture(scope="session")
def photos() -> Path:
    """Return the folder of photographs in the scikit-image package."""
    return Path(skimage.__file__).parent / "data"


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Return a function that writes an image or bytes to a file."""

    def save_file(content: Image.Image | bytes, name: str, **options: Any) -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.save(path, **options)
        return path

    return save_file


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that renders a file and opens the decoded result."""

    def render_file(source: Path, *operations: AnyOperation, limits: Limits | None = None) -> Any:
        target = tmp_path / "result"
        facts = render(source, target, operations, limits or Limits())
        with Image.open(target) as image:
            image.load()
        return facts, image

    return render_file


def file_of(image: Image.Image) -> Path:
    """Return the path that an image was opened from."""
    return Path(str(getattr(image, "filename", "")))
