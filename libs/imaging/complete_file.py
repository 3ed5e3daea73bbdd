"""A file that Pillow writes through Python."""

import io
from pathlib import Path


class CompleteFile(io.BufferedRandom):
    """A new file that is written whole, or not without an error.

    Pillow's encoders write to the file descriptor where there is one, and ignore that a full disk took only
    part of the last piece (`_encode_to_file` in encode.c). So this file shows no descriptor.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "w+"))

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")
