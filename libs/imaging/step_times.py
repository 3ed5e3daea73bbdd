"""How long the steps of one call take: noted while somebody asks for it, as a render process does."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter

from msgspec import Struct

_NOTHING = nullcontext()
_noted: list["StepTime"] | None = None


class StepTime(Struct, frozen=True):
    """A step, and its time in seconds."""

    name: str
    seconds: float


@contextmanager
def noted_steps() -> Generator[list[StepTime]]:
    """Note the steps during the block; not for several threads at once."""
    global _noted
    _noted = []
    try:
        yield _noted
    finally:
        _noted = None


def timed(name: str) -> AbstractContextManager[object]:
    """Note the time of the block, if somebody asks for it and the block succeeds."""
    return _NOTHING if _noted is None else _timed(name, _noted)


@contextmanager
def _timed(name: str, noted: list[StepTime]) -> Generator[None]:
    started = perf_counter()
    yield
    noted.append(StepTime(name, perf_counter() - started))
