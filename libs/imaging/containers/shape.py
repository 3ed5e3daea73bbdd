"""The facts that every container module reads."""

from mmap import mmap
from typing import NamedTuple, TypeAlias

Buffer: TypeAlias = mmap | bytes


class Shape(NamedTuple):
    """Size of the stored pixels, and the number of frames or pages."""

    width: int
    height: int
    frames: int = 1
