"""A bounded queue of renders: no image and no account can take all of it, and nobody waits in vain."""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Hashable
from contextlib import AsyncExitStack, contextmanager
from typing import ParamSpec, TypeVar

from libs.delivery.errors import QueueFull
from libs.runtime.process_pool import ProcessPool

P = ParamSpec("P")
T = TypeVar("T")

IMAGE_SHARE = 0.5  # of the queue, for the renditions of one image
WAIT_S = 30.0  # longer than a visitor waits for a picture
ACCOUNT_SHARE = 0.75  # of the queue, for the images of one account


class RenderQueue:
    """Runs `processes` renders at a time while at most `limit` others wait.

    Of one image, all processes but one render at a time: an image that hangs holds up only itself.
    """

    def __init__(self, pool: ProcessPool, *, processes: int, limit: int, wait_s: float = WAIT_S) -> None:
        self._pool = pool
        self._limit = processes + limit
        self._wait_s = wait_s
        self._free = asyncio.Semaphore(processes)
        self._per_image = max(1, processes - 1)
        self._admitted = 0
        self._of_image: Counter[Hashable] = Counter()
        self._of_account: Counter[int | None] = Counter()
        self._turns: dict[Hashable, asyncio.Semaphore] = {}

    @contextmanager
    def admitted(self, image: Hashable, account: int | None) -> Generator[None]:
        """Hold a place in the queue during the block.

        Raises:
            QueueFull: All places are taken, or too many by this image or this account.
        """
        if (
            self._admitted >= self._limit
            or self._of_image[image] >= max(2, self._limit * IMAGE_SHARE)
            or (account is not None and self._of_account[account] >= max(2, self._limit * ACCOUNT_SHARE))
        ):
            raise QueueFull("too many images wait to be rendered")
        self._admitted += 1
        self._of_image[image] += 1
        self._of_account[account] += 1
        try:
            yield
        finally:
            self._admitted -= 1
            _decrease(self._of_image, image)
            _decrease(self._of_account, account)
            if image not in self._of_image:
                self._turns.pop(image, None)

    async def run(
        self, image: Hashable, timeout_s: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `call` in a render process when it is the image's turn; call it inside `admitted`.

        Raises:
            QueueFull: It was not, within `WAIT_S`.
            RenderError: As `ProcessPool.run`.
        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._wait_s):
                    await stack.enter_async_context(self._turns_of(image))
                    await stack.enter_async_context(self._free)
            except TimeoutError as error:
                raise QueueFull(f"no render process was free for {self._wait_s:g} s") from error
            return await self._pool.run(timeout_s, call, *args, **kwargs)

    async def start(self) -> None:
        """Start the render processes."""
        await self._pool.start()

    async def close(self) -> None:
        """End the render processes."""
        await self._pool.close()

    def _turns_of(self, image: Hashable) -> asyncio.Semaphore:
        return self._turns.setdefault(image, asyncio.Semaphore(self._per_image))


def _decrease(counts: Counter[T], key: T) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
