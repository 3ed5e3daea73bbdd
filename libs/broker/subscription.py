"""The listener's side of events: which keys match, and a buffer that never grows without bound."""

from asyncio import Queue

import structlog

from libs.broker.port import Event

CAPACITY = 1000  # events a listener may be behind before it loses the oldest

_log = structlog.get_logger(__name__)


def matches(pattern: str, key: str) -> bool:
    """AMQP topic matching: `*` is one word, `#` any number of them, none included."""
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
        self._waiting: Queue[Event | None] = Queue(capacity)

    def wants(self, key: str) -> bool:
        return any(matches(pattern, key) for pattern in self.patterns)

    def put(self, event: Event | None) -> None:
        """Hand over an event; None ends the iteration."""
        if self._waiting.full():
            self._waiting.get_nowait()
            _log.warning("event_dropped", patterns=self.patterns)
        self._waiting.put_nowait(event)

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Event:
        event = await self._waiting.get()
        if event is None:
            self.put(None)  # whoever asks again is told again
            raise StopAsyncIteration
        return event
