"""The facts that every container module reads."""

from typing import NamedTuple


class Shape(NamedTuple):
    """Size of the stored pixels, and the number of frames or pages."""

    width: int
    height: int
    frames: int = 1
