"""The pools of the process that metrics show: threads, render processes, connections of the database."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias


class PoolState(NamedTuple):
    """How full a pool is at this moment."""

    size: int
    used: int
    waiting: int  # calls that the pool has not begun


ReadPool: TypeAlias = Callable[[], PoolState]

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
