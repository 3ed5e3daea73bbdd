"""The command line as people use it: streams, names, JSON, lists, and answers to misspelt names."""

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import Struct
from PIL import Image

from apps.cli.main import main
from libs.imaging.operations.reference import kinds
from tests.support.waiting import WAIT_S


class Done(Struct, frozen=True):
    """A command that ended; its streams were pipes."""

    returncode: int
    stdout: bytes
    stderr: bytes


def darkroom(*arguments: object, data: bytes = b"", **settings: str) -> Done:
    environment = {f"DARKROOM_{name}": value for name, value in settings.items()}
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=data, env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Done(result.exit_code, result.stdout_bytes, result.stderr_bytes)


def photo(colour: str = "teal", size: tuple[int, int] = (100, 80), image_format: str = "JPEG") -> bytes:
    Image.new("RGB", size, colour).save(file := BytesIO(), image_format)
    return file.getvalue()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(photo())
    (folder / "a.png").write_bytes(photo("gold", (60, 90), "PNG"))
    return folder


def test_a_photo_comes_from_standard_input_and_its_result_goes_to_standard_output() -> None:
    done = darkroom(
        "process", "-", "--op", "resize:width=20", "--op", "convert:format=png", "-o", "-", data=photo()
    )
    assert done.returncode == 0, done.stderr
    with Image.open(BytesIO(done.stdout)) as image:
        assert (image.format, image.size) == ("PNG", (20, 16))
    described = json.loads(darkroom("describe", "-", "--json", data=photo()).stdout)
    assert (described["format"], described["width"]) == ("jpeg", 100)


def test_what_cannot_go_to_standard_output_leaves_it_empty(photos: Path) -> None:
    two = darkroom("process", photos, "--op", "flip", "-o", "-")
    assert (two.returncode, two.stdout) == (2, b"")
    assert b"one photo, not of 2" in two.stderr
    broken = darkroom("process", "-", "--op", "flip", "-o", "-", data=b"no photo")
    assert (broken.returncode, broken.stdout) == (1, b"")
    assert b"not_an_image" in broken.stderr
    large = darkroom("process", "-", "--op", "flip", "-o", "-", data=bytes(2000), MAX_UPLOAD_BYTES="1000")
    assert (large.returncode, b"file_too_large" in large.stderr) == (1, True)


def test_a_pipe_gets_lines_without_boxes_and_quiet_prints_failures_only(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_bytes(photo()[:300])
    arguments = ("process", photos, "--op", "resize:width=9")
    piped = darkroom(*arguments, "-o", tmp_path / "out")
    assert piped.stdout.isascii()
    lines = piped.stdout.decode().splitlines()
    assert len(lines) == 3
    assert f"{photos}/a.jpg" in lines[0]
    assert lines[0].split(" -> ")[1].startswith(f"{tmp_path}/out/a.jpg")
    assert b"2 done, 1 failed" in piped.stderr
    quiet = darkroom(*arguments, "-o", tmp_path / "again", "--quiet")
    assert (quiet.returncode, quiet.stdout) == (1, b"")
    assert quiet.stderr.decode().splitlines() == [lines[2]]
    for command in (("describe", photos / "a.jpg"), ("compare", photos / "a.jpg", photos / "a.png")):
        assert darkroom(*command).stdout.isascii()


def test_outcomes_are_told_as_json(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_bytes(photo()[:300])
    done = darkroom("process", photos, "--op", "resize:width=10", "-o", tmp_path / "out", "--json")
    first, second, broken = json.loads(done.stdout)
    assert first["source"] == f"{photos}/a.jpg"
    assert (first["result"], first["width"], first["height"]) == (f"{tmp_path}/out/a.jpg", 10, 8)
    assert first["after_bytes"] == Path(first["result"]).stat().st_size
    assert second["error"] is None
    assert broken["result"] is None
    assert "image_truncated" in broken["error"]


def test_names_tell_results_apart(photos: Path, tmp_path: Path) -> None:
    webp = ("process", photos, "--op", "resize:width=30", "--op", "convert:format=webp")
    named = darkroom(*webp, "-o", tmp_path / "out", "--name", "{width}/{name}-{height}.{ext}")
    assert named.returncode == 0, named.stderr
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in tmp_path.rglob("*.webp"))
    assert found == ["30/a.jpg-24.webp", "30/a.png-45.webp"]


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_two_photos_with_one_name_never_overwrite_each_other(
    photos: Path, tmp_path: Path, force: tuple[str, ...]
) -> None:
    done = darkroom("process", photos, "--op", "convert:format=webp", "-o", tmp_path / "out", *force)
    assert done.returncode == 1
    assert b"1 done, 1 failed" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.webp"]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("{widht}.{ext}", "unknown field {widht}; did you mean {width}?"),
        ("{0}", "unknown field {0}; known: {stem}"),
        ("{stem.__class__}", "unknown field"),
        ("../{stem}", "below the output folder"),
        ("/{stem}", "below the output folder"),
        ("{stem", "expected '}'"),
    ],
)
def test_a_wrong_name_is_a_usage_error(photos: Path, tmp_path: Path, name: str, answer: str) -> None:
    done = darkroom("process", photos, "--op", "flip", "-o", tmp_path / "out", "--name", name)
    assert done.returncode == 2
    assert answer in " ".join(done.stderr.decode().split())
    assert not (tmp_path / "out").exists()


def test_nothing_is_encoded_again_when_no_operation_is_given(photos: Path, tmp_path: Path) -> None:
    done = darkroom("process", photos, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert b"name an operation" in done.stderr
    assert not (tmp_path / "out").exists()


def test_operations_are_listed_and_described() -> None:
    listed = darkroom("operations").stdout.decode().splitlines()
    assert [line.split()[0] for line in listed] == list(kinds())
    resize = darkroom("operations", "resize").stdout.decode()
    assert "fit (" in resize
    assert "`cover`" in resize
    described = json.loads(darkroom("operations", "crop", "--json").stdout)
    assert {"name": "gravity", "required": False} in [
        {"name": field["name"], "required": field["required"]} for field in described["fields"]
    ]
    assert len(json.loads(darkroom("operations", "--json").stdout)) == len(kinds())


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("proces",), "Did you mean 'process'?"),
        (("process", "--otu", "x"), "'--out'"),
        (("operations", "resise"), "did you mean 'resize'?"),
        (
            ("process", "{in}", "-o", "x", "--op", "resiz:width=3"),
            "unknown operation `resiz`; did you mean `resize`?",
        ),
        (
            ("process", "{in}", "-o", "x", "--op", "resize:widht=3"),
            "unknown field `widht`; did you mean `width`?",
        ),
        (
            ("process", "{in}", "-o", "x", "--op", "resize:width=3,fit=covr"),
            "`fit` cannot be `covr`; did you mean `cover`?",
        ),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(
    photos: Path, arguments: tuple[str, ...], answer: str
) -> None:
    done = darkroom(*(argument.replace("{in}", str(photos)) for argument in arguments))
    assert done.returncode == 2
    assert answer in " ".join(done.stderr.decode().replace("│", " ").split())


def test_an_admin_has_a_password_by_the_rules_which_need_not_be_on_the_command_line(tmp_path: Path) -> None:
    command, settings = ("create-admin", "--username", "root"), {"DATA_DIR": str(tmp_path / "data")}
    for arguments, data in (((*command, "--password", "a"), b""), (command, b"short\n"), (command, b"")):
        refused = darkroom(*arguments, data=data, **settings)
        assert (refused.returncode, b"--password" in refused.stderr) == (2, True), refused.stderr
    assert not (tmp_path / "data").exists()
    assert darkroom(*command, data=b"correct horse battery\n", **settings).returncode == 0
    again = darkroom(*command, data=b"correct horse battery\n", **settings)
    assert (again.returncode, b"username_taken" in again.stderr) == (1, True)


def test_a_terminal_is_asked_for_the_password_twice(tmp_path: Path) -> None:
    master, slave = os.openpty()
    environment = os.environ | {"DARKROOM_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "apps.cli", "create-admin", "--username", "root"]
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    ) as process:
        shown = _answered(master, [b"Password", b"Repeat", b"created"], b"correct horse battery\n")
        assert process.wait(WAIT_S) == 0
    os.close(slave)
    os.close(master)
    assert b"admin root created" in shown
    assert b"horse" not in shown


def _answered(master: int, prompts: list[bytes], answer: bytes) -> bytes:
    """Type an answer at each prompt but the last; return what was shown."""
    shown = b""
    for prompt in prompts:
        while prompt not in shown:
            shown += os.read(master, 4096)
        if prompt != prompts[-1]:
            os.write(master, answer)
    return shown
