"""What the apps know of a message broker; `memory` and `rabbit` are the two that implement it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct

from libs.contracts.topology import Route

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Delivery(Struct, frozen=True, kw_only=True):
    """One message as it came off a queue."""

    body: bytes
    headers: Mapping[str, str] = NO_HEADERS  # values of other types come as their text
    reply_to: str | None = None  # where the sender waits for an answer
    correlation_id: str | None = None
    message_id: str | None = None
    user_id: str | None = None  # vouched for by the broker: nobody can claim another's name
    content_type: str | None = None
    redelivered: bool = False  # somebody had it before and did not settle it


class Event(Struct, frozen=True):
    """Something that happened, for whoever is listening at that moment."""

    key: str
    body: bytes


Handler = Callable[[Delivery], Awaitable[None]]
"""Works one message; must be safe to call twice with the same one.

On return the message is acknowledged. `DeadLetter`, and any other exception, put a copy with the
header `x-error` on the dead-letter queue. A handler cancelled because its consumer stops gives the
message back.
"""


class Broker(Protocol):
    """Carries jobs to workers at least once, and events to whoever listens."""

    @property
    def user(self) -> str | None:
        """The `user_id` that what this broker publishes arrives with; None where there are no users."""
        ...

    async def publish(
        self, route: Route, body: bytes, *, message_id: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        """Queue a job's message, durably; returns once the broker has confirmed it.

        Raises:
            BrokerUnavailable: Nothing was confirmed within a few seconds, or no queue takes the
                route. The message may still have arrived.
        """
        ...

    async def reply(self, to: str, body: bytes, *, correlation_id: str | None) -> None:
        """Answer the sender of a message.

        A queue that is gone is no error. A queue of ours gets no answer: a sender cannot have
        something put among the jobs in our name.

        Raises:
            BrokerUnavailable: The broker did not take it.
        """
        ...

    async def emit(self, key: str, body: bytes) -> None:
        """Tell whoever is listening; nobody listening is fine.

        Raises:
            BrokerUnavailable: The broker did not take it.
        """
        ...

    def consume(
        self, route: Route, handler: Handler, *, concurrency: int
    ) -> AbstractAsyncContextManager[None]:
        """Work a queue while inside, `concurrency` messages at once.

        Leaving takes no more messages, cancels the running handlers, waits for them, and gives
        back what they did not settle. Entering needs no broker: work starts when there is one.
        """
        ...

    def events(self, *patterns: str) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Listen from entering to leaving, for keys that match any pattern.

        `*` stands for one word of a key, `#` for any number. A listener that falls behind loses
        the oldest events first; events during an outage are lost. The iterator ends when the
        broker is closed.
        """
        ...

    async def ping(self) -> None:
        """Make a round trip.

        Raises:
            BrokerUnavailable: There was no answer within a few seconds.
        """
        ...

    async def close(self) -> None:
        """Let go of the broker; leave `consume` and `events` first. Twice is fine."""
        ...
