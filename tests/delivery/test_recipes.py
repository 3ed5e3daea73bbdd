"""The recipes of docs/delivery.md for signing: each language gives the address that the page shows."""

import shutil
import subprocess
from pathlib import Path

import pytest

from libs.delivery.address import is_signature, parse_address
from tests.support.documents import blocks

PAGE = "docs/delivery.md"
CALL = ("k1", "0123456789abcdef", "w_600,h_400,fit_cover", "019ab3c0-1234-7abc-8def-0123456789ab")
ARGUMENTS = ", ".join(f'"{argument}"' for argument in CALL)


def recipe(info: str) -> str:
    (found,) = (block.text for block in blocks(PAGE) if block.info == info and "address" in block.text)
    return found


def shown() -> str:
    """The address of the page's example."""
    (found,) = (block.text.strip() for block in blocks(PAGE) if block.text.startswith("/t/k1."))
    return found


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout.strip()


def test_the_example_is_signed() -> None:
    address = parse_address(shown())
    assert (address.key_id, address.signed) == (CALL[0], f"/{CALL[2]}/{CALL[3]}")
    assert is_signature(CALL[1], address.signed, address.signature)


def test_the_recipe_for_python_gives_the_example() -> None:
    names: dict[str, object] = {}
    exec(compile(recipe("python") + f"\nmade = address({ARGUMENTS})", PAGE, "exec"), names)  # noqa: S102
    assert names["made"] == shown()


def test_the_recipe_for_javascript_gives_the_example(tmp_path: Path) -> None:
    (tmp_path / "recipe.mjs").write_text(recipe("js") + f"\nconsole.log(address({ARGUMENTS}));\n")
    node = shutil.which("node") or ""
    assert output_of(node, str(tmp_path / "recipe.mjs")) == shown()


def test_the_recipe_for_the_shell_gives_the_example() -> None:
    quoted = " ".join(f"'{argument}'" for argument in CALL)
    assert output_of("bash", "-c", f"{recipe('bash')}\naddress {quoted}") == shown()


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not installed")
def test_the_recipe_for_php_gives_the_example() -> None:
    code = recipe("php").removeprefix("<?php\n")
    assert output_of("php", "-r", f"{code}\necho address({ARGUMENTS});") == shown()


@pytest.mark.skipif(shutil.which("ruby") is None, reason="Ruby is not installed")
def test_the_recipe_for_ruby_gives_the_example() -> None:
    assert output_of("ruby", "-e", f"{recipe('ruby')}\nputs address({ARGUMENTS})") == shown()


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
def test_the_recipe_for_go_gives_the_example(tmp_path: Path) -> None:
    code = recipe("go").replace('"encoding/base64"\n', '"encoding/base64"\n\t"fmt"\n')
    (tmp_path / "main.go").write_text(f"{code}\nfunc main() {{ fmt.Println(address({ARGUMENTS})) }}\n")
    assert output_of("go", "run", str(tmp_path / "main.go")) == shown()
