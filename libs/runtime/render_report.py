"""What a render process tells of a call besides its result. It runs there, so it imports little."""

from collections.abc import Callable
from time import monotonic
from typing import Any, Generic, TypeVar

from msgspec import Struct

from libs.imaging.step_times import StepTime, noted_steps

T = TypeVar("T")


class RenderReport(Struct, Generic[T], frozen=True):
    """A result, when its call began by the clock that all processes share, and the times of its steps."""

    result: T
    started_s: float
    steps: list[StepTime]


def reported(call: Callable[..., T], *args: Any, **kwargs: Any) -> RenderReport[T]:  # noqa: ANN401 - passed on
    """Run `call(*args)` and report on it."""
    started_s = monotonic()
    with noted_steps() as steps:
        return RenderReport(call(*args, **kwargs), started_s, steps)
