"""What is written about the program is true of the program."""

import re
from pathlib import Path

import pytest

from apps.api.problems import all_codes
from libs.contracts import schema
from libs.settings import PREFIX, load_settings, setting_names

ROOT = Path(__file__).parents[1]
IN_DATA_DIR = {"DARKROOM_DATABASE_URL", "DARKROOM_OBJECTS_URL", "DARKROOM_SECRET_KEY"}  # no text fits all


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_names_every_setting_in_order() -> None:
    assert list(example()) == sorted(example(), key=setting_names().index)
    assert set(example()) == set(setting_names())


def test_the_example_gives_every_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(example()) == load_settings({})


def test_every_default_of_the_example_is_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    defaults = load_settings({})
    for name, value in example().items():
        if not value and name not in IN_DATA_DIR:
            assert getattr(defaults, name.removeprefix(PREFIX).lower()) in ("", ()), name


def test_every_error_code_is_documented_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    assert {code: int(status) for code, status in rows} == all_codes()


def test_the_schema_file_is_that_of_the_structs() -> None:
    assert (ROOT / "libs/contracts/schema.json").read_text() == schema.text()


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"`make ([a-z-]+)", (ROOT / document).read_text()))
        assert named <= targets, document
