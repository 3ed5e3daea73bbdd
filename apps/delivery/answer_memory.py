"""Answers that were given a moment ago, with their bytes: what a page's visitors ask for at the same time."""

from collections import OrderedDict
from collections.abc import Hashable
from time import monotonic

from apps.delivery.response import Answer
from libs.delivery.short_memory import FRESH_S

MAX_BYTES = 24 * 1024**2  # of all bodies
MAX_BODY = 256 * 1024


class AnswerMemory:
    """Answers by request. One is fresh for a second; then only its bytes are good, if the version is."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, tuple[float, Answer]] = OrderedDict()
        self._bytes = 0

    def fresh(self, key: Hashable) -> Answer | None:
        """Return an answer of the last second."""
        found = self._answers.get(key)
        if found is None or found[0] < monotonic():
            return None
        return found[1]

    def body(self, key: Hashable, etag: str) -> bytes | None:
        """Return the bytes of a version."""
        found = self._answers.get(key)
        return found[1].body if found is not None and found[1].etag == etag else None

    def put(self, key: Hashable, answer: Answer) -> None:
        """Remember an answer whose body is small."""
        self._drop(key)
        if answer.body is None or len(answer.body) > MAX_BODY:
            return
        self._answers[key] = (monotonic() + FRESH_S, answer)
        self._bytes += len(answer.body)
        while self._bytes > MAX_BYTES:
            self._drop(next(iter(self._answers)))

    def _drop(self, key: Hashable) -> None:
        found = self._answers.pop(key, None)
        if found is not None:
            self._bytes -= len(found[1].body or b"")
