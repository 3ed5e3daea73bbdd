"""Search an account's images for groups that look alike, in a process of its own."""

import asyncio
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from libs.backends import Backends
from libs.imaging.hash_groups import Cursor, groups_page
from libs.runtime.process_pool import ProcessPool
from libs.runtime.threads import ServerBusy
from libs.storage import phash_index

TIMEOUT_S = 60.0
NICENESS = 5
MAX_WAITING = 50  # searches of all accounts together
MAX_WAITING_OF_ACCOUNT = 10  # so that one account leaves room for the others


class After(NamedTuple):
    """The last group of a page: its place in the order holds though groups come and go."""

    reclaimable_bytes: int
    representative: UUID


class DuplicateGroup(Struct, frozen=True, kw_only=True):
    """Images that look alike; the representative is the one with the most pixels."""

    representative: UUID
    images: tuple[UUID, ...]  # oldest first, with the representative
    reclaimable_bytes: int  # of all images but the representative

    @property
    def place(self) -> After:
        """The group's place in the order of groups."""
        return After(self.reclaimable_bytes, self.representative)


class Duplicates:
    """Runs one search at a time, the accounts in turn; the process starts with the first one."""

    def __init__(self, backends: Backends) -> None:
        self._processes = ProcessPool(
            "duplicates", 1, memory_bytes=backends.settings.job_memory_bytes, niceness=NICENESS
        )
        self._turn = asyncio.Lock()
        self._turn_of: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: Counter[int] = Counter()  # by account, with the one that runs

    async def page(
        self, owner: int, *, max_distance: int, limit: int, after: After | None
    ) -> tuple[list[DuplicateGroup], int]:
        """Return at most `limit` groups, most reclaimable bytes first, and how many there are in all.

        Raises:
            ServerBusy: Too many searches wait, in all or of this account.
            RenderTimeout, RenderCrashed: The search took too long, or its process ended.
        """
        if self._waiting[owner] >= MAX_WAITING_OF_ACCOUNT or self._waiting.total() >= MAX_WAITING:
            raise ServerBusy("too many searches for duplicates wait")
        self._waiting[owner] += 1
        try:
            async with (
                self._turn_of[owner],
                self._turn,
            ):  # an account's second search lets the others go first
                return await self._page(owner, max_distance, limit, after)
        finally:
            self._waiting[owner] -= 1
            if not self._waiting[owner]:
                del self._waiting[owner], self._turn_of[owner]

    async def close(self) -> None:
        """End the process."""
        await self._processes.close()

    async def _page(
        self, owner: int, max_distance: int, limit: int, after: After | None
    ) -> tuple[list[DuplicateGroup], int]:
        ids: list[UUID] = []
        hashes, pixels, sizes = array("q"), array("q"), array("q")
        async for found in phash_index.hashed_images(owner):
            ids.extend(image.id for image in found)
            hashes.extend(image.phash for image in found)
            pixels.extend(image.pixels for image in found)
            sizes.extend(image.size_bytes for image in found)
        cursor = after and Cursor(after.reclaimable_bytes, bisect_right(ids, after.representative))
        total, groups = await self._processes.run(
            TIMEOUT_S,
            groups_page,
            hashes.tobytes(),
            pixels.tobytes(),
            sizes.tobytes(),
            max_distance=max_distance,
            limit=limit,
            after=cursor,
        )
        found_groups = [
            DuplicateGroup(
                representative=ids[group.representative],
                images=tuple(ids[place] for place in group.members),
                reclaimable_bytes=group.reclaimable_bytes,
            )
            for group in groups
        ]
        return found_groups, total
