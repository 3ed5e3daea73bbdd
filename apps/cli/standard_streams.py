"""`-` on the command line: a photo from standard input, a result to standard output."""

import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

STREAM = "-"


@contextmanager
def local_file(path: Path, max_bytes: int) -> Generator[Path]:
    """Give the path of a file; standard input, for `-`, is copied to a temporary file.

    The copy is cut one byte after `max_bytes`, which then is too large.
    """
    if str(path) != STREAM:
        yield path
        return
    with TemporaryDirectory(prefix="darkroom-") as folder:
        copy = Path(folder, "stdin")
        with copy.open("wb") as file:
            left = max_bytes + 1
            while left > 0 and (block := sys.stdin.buffer.read(min(left, 1 << 20))):
                file.write(block)
                left -= len(block)
        yield copy


def check_stdout() -> None:
    """Refuse to write an image to a terminal.

    Raises:
        click.UsageError: Standard output is one.
    """
    if sys.stdout.isatty():
        raise click.UsageError("the result is binary: send standard output to a file or another program")


def to_stdout(path: Path) -> None:
    """Write a file to standard output."""
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()
