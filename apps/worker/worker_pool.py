"""What a handler works with: backends, and the render processes of its priority."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.events import BatchCompleted
from libs.imaging.limits import Limits
from libs.runtime.process_pool import ProcessPool
from libs.storage.database.tables import Image

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class WorkerPool:
    """One of the pools `interactive`, `bulk` and `edits`: each has its own render processes."""

    backends: Backends
    processes: ProcessPool

    @property
    def limits(self) -> Limits:
        """The limits of this installation for everything that is decoded."""
        return self.backends.settings.image_limits

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call` in a render process, within a job's time limit.

        Raises:
            RenderTimeout, RenderCrashed: As `ProcessPool.run`.
        """
        return await self.processes.run(self.backends.settings.job_timeout_s, call, *args, **kwargs)


class Done(Struct, frozen=True):
    """A job that its handler has completed; the row says so already."""

    image: Image  # the result, or the image that was described
    batch: BatchCompleted | None = None  # the batch whose last job this was
