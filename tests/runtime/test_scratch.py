"""Folders for temporary files: gone with their process, however it ends."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from libs.runtime.scratch import LOCK, lock_file, scratch_directory

HOLD = """
import sys
from pathlib import Path
from libs.runtime.scratch import lock_file, scratch_directory
kind, path = sys.argv[1], Path(sys.argv[2])
if kind == "lock":
    print(lock_file(path) is not None, flush=True)
    sys.stdin.read()
else:
    with scratch_directory(path) as own:
        (own / "file").write_text("half")
        print(own, flush=True)
        sys.stdin.read()
"""


@contextmanager
def holder(kind: str, path: Path) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Another process that holds it, and what that said."""
    command = [sys.executable, "-c", HOLD, kind, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def folders(parent: Path) -> set[Path]:
    return {path for path in parent.iterdir() if path.is_dir()}


def test_the_folder_goes_at_the_end(tmp_path: Path) -> None:
    with scratch_directory(tmp_path / "tmp") as own:
        (own / "file").write_text("x")
    assert folders(tmp_path / "tmp") == set()


def test_several_live_side_by_side(tmp_path: Path) -> None:
    with ExitStack() as stack:
        own = {stack.enter_context(scratch_directory(tmp_path)) for _ in range(3)}
        assert folders(tmp_path) == own


def test_a_living_process_keeps_its_folder_and_a_killed_one_does_not(tmp_path: Path) -> None:
    with holder("scratch", tmp_path) as (process, said):
        theirs = Path(said)
        with scratch_directory(tmp_path) as own:
            assert folders(tmp_path) == {own, theirs}
        process.kill()
        process.wait()
        assert (theirs / "file").exists()
        with scratch_directory(tmp_path) as own:
            assert folders(tmp_path) == {own}


def test_a_folder_whose_process_died_before_it_was_locked_goes_too(tmp_path: Path) -> None:
    (tmp_path / "young").mkdir()
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / LOCK).touch()
    with scratch_directory(tmp_path) as own:
        assert folders(tmp_path) == {own}


def test_a_lock_has_one_holder_until_that_process_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    with holder("lock", path) as (process, said):
        assert said == "True"
        assert lock_file(path) is None
        process.kill()
        process.wait()
        assert lock_file(path) is not None
        assert lock_file(path) is None
