"""A listener's side of events: topic matching, and a buffer of bounded size."""

from asyncio import Queue

import structlog

from libs.broker.port import Event

CAPACITY = 1000  # events that a listener may fall behind before it loses the oldest

_log = structlog.get_logger(__name__)


def matches(pattern: str, key: str) -> bool:
    """Match as AMQP topics do: `*` stands for one word, `#` for any number of words, including none."""
    reached = {0}  # lengths of the part of the key that the pattern read so far can stand for
    words = key.split(".") if key else []
    for part in pattern.split(".") if pattern else []:
        if part == "#":
            reached = set(range(min(reached), len(words) + 1))
        else:
            reached = {n + 1 for n in reached if n < len(words) and part in ("*", words[n])}
        if not reached:
            return False
    return len(words) in reached


class Subscription:
    """An iterator over events that drops the oldest when its reader is too slow."""

    def __init__(self, patterns: tuple[str, ...], capacity: int = CAPACITY) -> None:
        self.patterns = patterns
        self._buffer: Queue[Event | None] = Queue(capacity)

    def matches(self, key: str) -> bool:
        return any(matches(pattern, key) for pattern in self.patterns)

    def put(self, event: Event | None) -> None:
        """Append an event; None ends the iteration."""
        if self._buffer.full():
            self._buffer.get_nowait()
            _log.warning("event_dropped", patterns=self.patterns)
        self._buffer.put_nowait(event)

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Event:
        event = await self._buffer.get()
        if event is None:
            self.put(None)  # the next read ends too
            raise StopAsyncIteration
        return event
