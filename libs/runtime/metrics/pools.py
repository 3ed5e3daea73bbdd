"""The pools of the process that metrics show: threads, render processes, connections to backends."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias


class PoolState(NamedTuple):
    """How full a pool is at this moment."""

    size: int
    used: int
    waiting: int  # calls that the pool has not begun


ReadPool: TypeAlias = Callable[[], PoolState]

MEANINGS: Mapping[str, str] = {
    "database": "connections to PostgreSQL; with SQLite, its readers",
    "s3": "connections to the S3 server for uploads and jobs",
    "s3.downloads": "connections to the S3 server for clients that download",
    "s3.health": "connections to the S3 server for health checks",
    "interactive": "render processes of a worker for jobs that a client waits for",
    "bulk": "render processes of a worker for bulk jobs",
    "edits": "render processes of a worker for edits",
    "renditions": "render processes for images by URL, where no worker shares the process",
    "previews": "render processes for previews",
    "thumbnails": "the render process for thumbnails",
    "duplicates": "the process that searches for duplicates",
    "rehash": "render processes of `darkroom rehash`",
    "password": "threads that hash passwords",
    "scratch": "threads that write temporary files",
    "storing": "threads that change the object store in a directory",
    "download": "threads that read the object store in a directory",
    "parsing": "threads that parse headers of images, JSON, base64 and CSV",
    "maintenance": "threads for health checks, render processes and migrations",
    "fetch-lookup": "threads that look up the hosts of users' URLs",
    "webhook-lookup": "threads that look up the hosts of webhooks",
}
"""The pools of all processes by name; docs/metrics.md lists them."""

_POOLS: dict[str, ReadPool] = {}


def watch_pool(name: str, read: ReadPool) -> None:
    """Show a pool under `name`, instead of an earlier one of that name."""
    _POOLS[name] = read


def forget_pool(name: str, read: ReadPool) -> None:
    """Stop to show a pool, unless another one has its name by now."""
    if _POOLS.get(name) == read:
        del _POOLS[name]


def pool_states() -> Iterator[tuple[str, PoolState]]:
    """Read all pools; any thread may do so."""
    for name, read in sorted(_POOLS.items()):
        yield name, read()
