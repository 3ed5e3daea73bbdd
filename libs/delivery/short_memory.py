"""Remember answers for a moment: how long a process may not notice that another has changed a row."""

from collections import OrderedDict
from collections.abc import Hashable
from time import monotonic
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

FRESH_S = 1.0
"""For how long an address may give what it gave a moment ago, although its image, key or preset has gone."""


class ShortMemory(Generic[K, V]):
    """At most `size` values, each for `keep_s` seconds; the ones used longest ago go first."""

    def __init__(self, *, size: int, keep_s: float = FRESH_S) -> None:
        self._size = size
        self._keep_s = keep_s
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return the value if it is young enough, else None."""
        found = self._values.get(key)
        if found is None or found[0] < monotonic():
            return None
        self._values.move_to_end(key)
        return found[1]

    def put(self, key: K, value: V) -> None:
        """Remember a value from now on."""
        self._values[key] = (monotonic() + self._keep_s, value)
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)
