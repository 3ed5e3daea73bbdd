"""Answers that were given a moment ago, with their bytes: what a page's visitors ask for at the same time."""

from collections import OrderedDict
from collections.abc import Hashable

from msgspec import structs

from apps.delivery.response import Answer
from libs.delivery.short_memory import ShortMemory

MAX_ANSWERS = 4000  # without their bytes, about 2 kB each
MAX_BYTES = 24 * 1024**2  # of all bodies
MAX_BODY = 256 * 1024


class AnswerMemory:
    """Answers by request for one second; the bytes of small files by their version, while there is room.

    Bytes go in the order in which they came. To move those that were used to the end would keep none at all
    of a round of addresses that is a little larger than the room.
    """

    def __init__(self) -> None:
        self._answers: ShortMemory[Hashable, Answer] = ShortMemory(size=MAX_ANSWERS)
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def fresh(self, key: Hashable) -> Answer | None:
        """Return an answer of the last second; it has no body if that is to be read from its object."""
        answer = self._answers.get(key)
        if answer is None:
            return None
        body = self._bodies.get(answer.etag)
        return None if body is None and answer.object_key is None else structs.replace(answer, body=body)

    def body(self, etag: str) -> bytes | None:
        """Return the bytes of a version."""
        return self._bodies.get(etag)

    def put(self, key: Hashable, answer: Answer) -> None:
        """Remember an answer, and its bytes if these are few."""
        self._answers.put(key, structs.replace(answer, body=None))
        body = answer.body
        if body is None or len(body) > MAX_BODY or answer.etag in self._bodies:
            return
        self._bodies[answer.etag] = body
        self._bytes += len(body)
        while self._bytes > MAX_BYTES:
            _, gone = self._bodies.popitem(last=False)
            self._bytes -= len(gone)
