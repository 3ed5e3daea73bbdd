"""`darkroom process`, `describe` and `compare`, run on local files."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from apps.cli.main import main
from apps.cli.operation_options import parse_operation
from libs.imaging.geometry import Focus
from libs.imaging.operations import AnyOperation, Convert, Crop, Flip, Point, Resize, Watermark
from libs.imaging.text.text_fonts import FONTS
from tests.support.waiting import WAIT_S

Run: TypeAlias = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    def invoke(*arguments: object, **settings: str) -> Result:
        environment = {f"DARKROOM_{name}": value for name, value in settings.items()} | {"COLUMNS": "500"}
        return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)

    return invoke


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two photos, one of them deeper, and a file that is none."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    Image.new("RGB", (100, 80), "teal").save(tmp_path / "in" / "a.jpg")
    Image.new("RGB", (60, 90), "gold").save(tmp_path / "in" / "deep" / "b.png")
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    return tmp_path / "in"


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GIF within the limits (46 of 50 MB) that takes seconds to render: 150 frames of noise."""
    path = tmp_path_factory.mktemp("slow") / "slow.gif"
    frames = [Image.effect_noise((490, 490), 90) for _ in range(3)] * 50
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path


def stored(folder: Path) -> set[str]:
    """The names of the finished files in a folder and its subfolders."""
    return {path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".part")}


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("flip", Flip()),
        ("resize:width=800,height=600,fit=cover", Resize(width=800, height=600, fit="cover")),
        ("resize:scale=.5,enlarge=true", Resize(scale=0.5, enlarge=True)),
        ("crop:aspect=16:9,gravity.x=0.3,gravity.y=1", Crop(aspect="16:9", gravity=Focus(x=0.3, y=1))),
        ("convert:format=auto,accept=webp+jpeg", Convert(format="auto", accept=("webp", "jpeg"))),
        (
            r"watermark:text=a\, b=c,position.x=1,position.y=-2",
            Watermark(text="a, b=c", position=Point(1, -2)),
        ),
    ],
)
def test_an_operation_is_written_as_one_argument(text: str, operation: AnyOperation) -> None:
    assert parse_operation(text) == operation


@pytest.mark.parametrize("text", ["explode", "resize", "resize:width", "resize:width=x", "resize:wdth=1"])
def test_a_wrong_operation_is_a_usage_error(text: str, folder: Path, run: Run) -> None:
    result = run("process", folder, "--op", text, "-o", folder / "out")
    assert result.exit_code == 2
    assert text in result.output


def test_folders_are_processed_into_the_same_folders(folder: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    result = run("process", folder, "--op", "resize:width=30", "--op", "convert:format=webp", "-o", out)
    assert result.exit_code == 0, result.output
    assert "2 done, 0 failed" in result.output
    sizes: dict[str, tuple[int, int]] = {}
    for file in out.rglob("*.*"):
        with Image.open(file) as image:
            assert image.format == "WEBP"
            sizes[str(file.relative_to(out))] = image.size
    assert sizes == {"a.webp": (30, 24), "deep/b.webp": (30, 45)}


def test_nothing_is_overwritten_without_force(folder: Path, tmp_path: Path, run: Run) -> None:
    arguments = ("process", folder / "a.jpg", "--op", "flip", "-o", tmp_path / "out")
    assert run(*arguments).exit_code == 0
    before = (tmp_path / "out" / "a.jpg").read_bytes()
    again = run(*arguments)
    assert again.exit_code == 1
    assert "there already" in " ".join(again.output.split())
    assert run(*arguments, "--force").exit_code == 0
    assert (tmp_path / "out" / "a.jpg").read_bytes() == before
    source = (folder / "a.jpg").read_bytes()
    assert run("process", folder / "a.jpg", "--op", "grayscale", "-o", folder, "--force").exit_code == 1
    assert (folder / "a.jpg").read_bytes() == source
    assert not list(tmp_path.rglob("*.part"))


def test_two_photos_with_one_target_do_not_overwrite_each_other(tmp_path: Path, run: Run) -> None:
    for extension in ("png", "bmp"):
        Image.new("RGB", (9, 9)).save(tmp_path / f"same.{extension}")
    result = run("process", f"{tmp_path}/same.*", "--op", "convert:format=webp", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "1 done, 1 failed" in result.output


def test_failures_are_reported_with_their_reasons_and_the_rest_is_done(
    folder: Path, tmp_path: Path, run: Run
) -> None:
    (folder / "broken.jpg").write_bytes((folder / "a.jpg").read_bytes()[:400])
    result = run("process", f"{folder}/*", "--op", "resize:width=10", "-o", tmp_path / "out")
    words = " ".join(result.output.split())
    assert result.exit_code == 1
    assert "1 done, 2 failed" in words
    assert "image_truncated" in words
    assert "not_an_image" in words


def test_a_file_with_an_impossible_offset_is_that_files_fault_and_the_rest_is_done(
    folder: Path, tmp_path: Path, run: Run
) -> None:
    Image.new("L", (8, 8)).save(folder / "big.tif", big_tiff=True)
    data = bytearray((folder / "big.tif").read_bytes())
    data[8:16] = (2**63 + 5).to_bytes(8, "little")
    (folder / "big.tif").write_bytes(data)
    result = run("process", f"{folder}/*.*", "--op", "resize:width=10", "-o", tmp_path / "out")
    words = " ".join(result.output.split())
    assert result.exit_code == 1
    assert "1 done, 2 failed" in words
    assert "image_truncated" in words
    described = run("describe", folder / "big.tif")
    assert (described.exit_code, "image_truncated" in described.output) == (1, True)


def test_operations_come_from_a_file_and_assets_from_files(folder: Path, tmp_path: Path, run: Run) -> None:
    operations = [
        {"op": "watermark", "part": "logo", "position": "top-left"},
        {"op": "convert", "format": "png"},
    ]
    (tmp_path / "ops.json").write_text(json.dumps(operations))
    Image.new("RGB", (20, 20), "red").save(tmp_path / "logo.png")
    result = run(
        "process", folder / "a.jpg", "--ops", tmp_path / "ops.json", "-o", tmp_path / "out",
        "--asset", f"logo={tmp_path}/logo.png",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "out" / "a.png") as image:
        assert image.getpixel((5, 5)) == (255, 0, 0)


def test_a_text_is_written_with_a_font_of_the_operator(folder: Path, tmp_path: Path, run: Run) -> None:
    shutil.copy(FONTS[0], tmp_path / "Corporate.ttf")
    watermark = "watermark:text=Hi,font=Corporate,size=60"
    done = run(
        "process", folder / "a.jpg", "--op", watermark, "-o", tmp_path / "out", FONTS_DIR=str(tmp_path)
    )
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "out" / "a.jpg") as image:
        assert max(image.convert("L").tobytes()) > 230
    failed = run("process", folder / "a.jpg", "--op", watermark, "-o", tmp_path / "other")
    assert "the font `Corporate` is not one of this server's fonts" in failed.output


def test_a_file_of_operations_that_is_nested_too_deeply_is_a_usage_error(
    folder: Path, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "ops.json").write_text('[{"unknown": ' + "[" * 100_000)
    result = run("process", folder, "--ops", tmp_path / "ops.json", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "nested too deeply" in result.output


def test_a_photo_that_takes_too_long_fails_alone(slow: Path, folder: Path, tmp_path: Path, run: Run) -> None:
    arguments = ("process", slow, folder, "--op", "convert:format=webp", "-o", tmp_path / "out")
    result = run(*arguments, JOB_TIMEOUT_S="1.5", MAX_UPLOAD_BYTES="100000000")
    assert result.exit_code == 1
    assert "2 done, 1 failed" in result.output
    assert "longer than 1.5 s (render_timeout)" in result.output
    assert stored(tmp_path / "out") == {"a.webp", "b.webp"}


def test_a_photo_that_needs_too_much_memory_fails_alone(folder: Path, tmp_path: Path, run: Run) -> None:
    Image.new("RGB", (7000, 7000)).save(folder / "large.png")
    arguments = ("process", folder, "--op", "blur:sigma=2", "-o", tmp_path / "out")
    result = run(*arguments, JOB_MEMORY_BYTES="400000000")
    assert result.exit_code == 1
    assert "2 done, 1 failed" in result.output
    assert "(render_out_of_memory)" in result.output
    assert stored(tmp_path / "out") == {"a.jpg", "b.png"}


def test_a_photo_beyond_the_limits_of_a_worker_is_refused(folder: Path, tmp_path: Path, run: Run) -> None:
    limits = {"MAX_PIXELS": "7000"}
    result = run("process", folder, "--op", "flip", "-o", tmp_path / "out", **limits)
    assert (result.exit_code, stored(tmp_path / "out")) == (1, {"b.png"})
    assert "image_too_large" in result.output
    for command in ("describe", "process --explain"):
        refused = run(*command.split(), folder / "a.jpg", **limits)
        assert (refused.exit_code, "image_too_large" in refused.output) == (1, True)


def test_files_and_pipelines_are_bounded_as_in_a_worker(folder: Path, tmp_path: Path, run: Run) -> None:
    limits = {"MAX_UPLOAD_BYTES": str((folder / "a.jpg").stat().st_size - 1), "MAX_OPERATIONS": "1"}
    for command in (f"process --op flip -o {tmp_path / 'out'}", "process --explain --op flip", "describe"):
        refused = run(*command.split(), folder / "a.jpg", **limits)
        assert (refused.exit_code, "file_too_large" in refused.output) == (1, True)
    many = run("process", folder, "--op", "flip", "--op", "flip", "-o", tmp_path / "out", **limits)
    assert (many.exit_code, "2 operations, the limit is 1" in many.output) == (2, True)
    crowd = run("process", folder, "--op", "flip", "-o", tmp_path / "out", "--jobs", "65")
    assert crowd.exit_code == 2
    assert stored(tmp_path / "out") == set()


def test_a_photo_that_takes_too_long_to_describe_is_an_error(slow: Path, run: Run) -> None:
    result = run("describe", slow, JOB_TIMEOUT_S="0.001", MAX_UPLOAD_BYTES="100000000")
    assert (result.exit_code, "(render_timeout)" in result.output) == (1, True)


def test_one_photo_is_rendered_by_a_copy_of_the_command_which_ends_with_it(
    slow: Path, tmp_path: Path
) -> None:
    command = (
        sys.executable,
        "-m",
        "apps.cli",
        "process",
        slow,
        "--op",
        "convert:format=webp",
        "-o",
        tmp_path,
    )
    with subprocess.Popen([*command, "--quiet"]) as process:
        own = psutil.Process(process.pid)
        deadline = time.monotonic() + WAIT_S
        while not (copies := own.children(recursive=True)) and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            assert [copy.cmdline() for copy in copies] == [own.cmdline()]
        finally:
            process.kill()
    assert psutil.wait_procs(copies, timeout=WAIT_S)[1] == []


def test_an_interrupted_run_ends_at_once_and_leaves_no_unfinished_file(
    slow: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("process", folder / "a.jpg", slow, "--op", "convert:format=webp", "-o", out)
    command = [sys.executable, "-m", "apps.cli", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while stored(out) != {"a.webp"}:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.strip()) == (1, "Aborted!")
    assert [path.name for path in out.rglob("*")] == ["a.webp"]


def test_commands_for_files_read_the_settings_and_leave_no_data_directory(
    folder: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("describe", folder / "a.jpg", BROKER_URL="amqp://broker").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    misspelt = run("describe", folder / "a.jpg", MAX_PIXLES="1")
    assert (misspelt.exit_code, "did you mean DARKROOM_MAX_PIXELS?" in misspelt.output) == (1, True)


def test_explain_prints_the_plan_and_writes_nothing(folder: Path, tmp_path: Path, run: Run) -> None:
    result = run("process", folder / "a.jpg", "--op", "resize:width=20", "--explain", "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert "decode   frame 0 at 1/2: 50x40" in result.output
    assert not (tmp_path / "out").exists()


def test_describe_and_compare_print_tables_or_json(folder: Path, run: Run) -> None:
    described = json.loads(run("describe", folder / "a.jpg", "--json").output)
    assert (described["format"], described["width"], len(described["phash"])) == ("jpeg", 100, 16)
    assert "image/jpeg" in run("describe", folder / "a.jpg").output
    compared = json.loads(run("compare", folder / "a.jpg", folder / "a.jpg", "--json").output)
    assert compared["same_bytes"] is True
    assert set(compared["distances"].values()) == {0}
    assert "phash" in run("compare", folder / "a.jpg", folder / "deep" / "b.png").output
    failed = run("describe", folder / "notes.txt")
    assert failed.exit_code == 1
    assert "not_an_image" in failed.output
