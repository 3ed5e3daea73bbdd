"""docs/operations.md documents every operation and field, and equals the generated page."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
from PIL import Image

from libs.imaging.operations import AnyOperation

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def draw() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw", DOCS / "images" / "draw.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_equals_the_generated_one(draw: ModuleType) -> None:
    assert (DOCS / "operations.md").read_text() == draw.page(), "run: python docs/images/draw.py"


@pytest.mark.parametrize("kind", get_args(AnyOperation), ids=lambda kind: kind.__name__)
def test_every_operation_is_documented_with_its_fields_and_a_picture(kind: Any) -> None:
    name = str(kind.__struct_config__.tag)
    section = (DOCS / "operations.md").read_text().split(f"\n## {name}\n")[1].split("\n## ")[0]
    for field in kind.__struct_fields__:
        assert f"| `{field}` |" in section
    with Image.open(DOCS / "images" / "operations" / f"{name}-1.jpg") as picture:
        assert picture.width <= 400
