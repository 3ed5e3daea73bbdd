"""A write that takes a part of the data is finished, or is an error."""

import os
from pathlib import Path
from threading import Thread

import pytest

from libs.runtime.disk import write_all
from tests.support.file_faults import files_of_at_most

LIMIT_BYTES = 100_000


def test_a_last_write_that_fits_in_part_is_an_error(tmp_path: Path) -> None:
    with (
        (tmp_path / "file").open("wb", buffering=0) as file,
        files_of_at_most(LIMIT_BYTES),
        pytest.raises(OSError, match="too large"),
    ):
        write_all(file, bytes(LIMIT_BYTES + 50_000))
    assert (tmp_path / "file").stat().st_size == LIMIT_BYTES


def test_a_pipe_that_takes_a_part_at_a_time_gets_everything() -> None:
    reading, writing = os.pipe()
    data = os.urandom(1_000_000)
    received: list[bytes] = []

    def receive() -> None:
        with open(reading, "rb") as file:  # noqa: PTH123 - a descriptor
            received.append(file.read())

    thread = Thread(target=receive)
    thread.start()
    with open(writing, "wb", buffering=0) as file:  # noqa: PTH123
        write_all(file, data)
    thread.join()
    assert received == [data]
