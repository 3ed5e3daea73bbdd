"""The interface of a message broker; `memory` and `rabbit` implement it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct

from libs.contracts.topology import Route

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class BrokerMessage(Struct, frozen=True, kw_only=True):
    """A message from a queue."""

    body: bytes
    headers: Mapping[str, str] = NO_HEADERS  # values of other types are converted to text
    reply_to: str | None = None  # the queue where the sender expects a reply
    correlation_id: str | None = None
    message_id: str | None = None
    user_id: str | None = None  # checked by the broker: a sender cannot use another user's name
    content_type: str | None = None
    redelivered: bool = False  # a consumer received it before and did not settle it


class Event(Struct, frozen=True):
    """An event for everybody who listens at that moment."""

    key: str
    body: bytes


Handler = Callable[[BrokerMessage], Awaitable[None]]
"""Processes one message; must be safe to call twice with the same one.

The message is acknowledged when the handler returns. `DeadLetter`, like any other exception, puts a copy with
the header `x-error` on the dead-letter queue. A handler that is cancelled because its consumer stops returns
the message to its queue.
"""


class Broker(Protocol):
    """Delivers jobs to workers at least once, and events to everybody who listens."""

    system: str
    """How spans name this kind of broker."""

    @property
    def user(self) -> str | None:
        """The `user_id` of messages that this broker publishes; None where there are no users."""
        ...

    async def publish(
        self, route: Route, body: bytes, *, message_id: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        """Queue a job's message durably; return once the broker has confirmed it.

        Raises:
            BrokerUnavailable: The broker did not confirm within a few seconds, or no queue is bound to the
                route. The message may still have arrived.
        """
        ...

    async def reply(self, to: str, body: bytes, *, correlation_id: str | None) -> None:
        """Send a reply to the sender of a message.

        A queue that no longer exists is no error. Queues of our own never get a reply: a sender could
        otherwise put messages among the jobs in our name.

        Raises:
            BrokerUnavailable: The broker did not accept it.
        """
        ...

    async def emit(self, key: str, body: bytes) -> None:
        """Publish an event; it is dropped where nobody listens.

        Raises:
            BrokerUnavailable: The broker did not accept it.
        """
        ...

    def consume(
        self, route: Route, handler: Handler, *, concurrency: int, drain_s: float = 0
    ) -> AbstractAsyncContextManager[None]:
        """Process a route's queue while the block runs, `concurrency` messages at once.

        Leaving the block stops taking messages, gives the running handlers `drain_s` seconds to end, cancels
        and awaits the others, and returns unsettled messages to the queue. Entering needs no connection: work
        starts when there is one.
        """
        ...

    def events(self, *patterns: str) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Listen while the block runs, for keys that match any pattern.

        `*` stands for one word of a key, `#` for any number of words. A listener that falls behind loses the
        oldest events first; events during an outage are lost. The iterator ends when the broker is closed.
        """
        ...

    async def dead_letter_count(self) -> int:
        """Return how many messages wait on the dead-letter queue.

        Raises:
            BrokerUnavailable: The broker did not respond within a few seconds.
        """
        ...

    async def ping(self) -> None:
        """Make a round trip.

        Raises:
            BrokerUnavailable: The broker did not respond within a few seconds.
        """
        ...

    async def close(self) -> None:
        """Close all connections; leave `consume` and `events` first. Safe to repeat."""
        ...
