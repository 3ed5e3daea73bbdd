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
    """The folder of photographs inside the scikit-image wheel."""
    return Path(skimage.__file__).parent / "data"


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write an image, or bytes, to a file."""

    def write(content: Image.Image | bytes, name: str, **options: Any) -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.save(path, **options)
        return path

    return write


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Render a file and open what came out, decoded."""

    def rendered(source: Path, *operations: AnyOperation, limits: Limits | None = None) -> Any:
        target = tmp_path / "result"
        facts = render(source, target, operations, limits or Limits())
        with Image.open(target) as image:
            image.load()
        return facts, image

    return rendered
