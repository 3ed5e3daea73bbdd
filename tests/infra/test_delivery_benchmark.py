"""Darkroom's case for imgproxy's comparison of image servers, without a container engine."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.settings import load_settings

FOLDER = Path(__file__).parents[2] / "benchmarks/delivery"


def test_its_settings_are_settings_and_the_script_signs_with_their_key(tmp_path: Path) -> None:
    service: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yml").read_text())["services"]["darkroom"]
    given = {name: str(value) for name, value in service["environment"].items()}
    processes = given.pop("DARKROOM_DELIVERY_PROCESSES")
    assert processes == "${DARKROOM_DELIVERY_PROCESSES:-2}"
    settings = load_settings({**given, "DARKROOM_DATA_DIR": str(tmp_path)})
    key, _, secret = settings.delivery_keys[0].partition(":")
    script = (FOLDER / "k6.js").read_text()
    assert f"KEY = '{key}'" in script
    assert f"SECRET = '{secret}'" in script


def test_its_script_is_a_module_of_javascript(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = tmp_path / "k6.mjs"
    script.write_text((FOLDER / "k6.js").read_text())
    checked = subprocess.run([node, "--check", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
