"""Dead letters of either broker: list them, submit them again, delete them.

Reading holds the letters for a moment, so that nobody else sees them meanwhile: in one process, one reader
waits for the other.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from libs.backends import Backends
from libs.broker import BrokerMessage
from libs.broker import dead_letters as on_rabbit
from libs.broker.memory import MemoryBroker
from libs.contracts.outcome import outcome_of
from libs.contracts.topology import Route
from libs.orders import intake
from libs.orders.errors import DeadLetterNotFound, DeadLetterRefused

MAX_LETTERS = 1000  # read at a time

_reading = asyncio.Lock()


class Letter(Protocol):
    """A dead letter that is held."""

    id: str
    message: BrokerMessage
    route: Route
    reason: str

    async def remove(self) -> None:
        """Remove it for good."""
        ...


@asynccontextmanager
async def held(backends: Backends, *, limit: int = MAX_LETTERS) -> AsyncGenerator[Sequence[Letter]]:
    """Hold the oldest dead letters; those that are not removed stay.

    Raises:
        BrokerUnavailable: The broker cannot be reached, or may not be read.
    """
    async with _reading:
        if isinstance(backends.broker, MemoryBroker):
            yield on_rabbit.in_memory(backends.broker.dead, limit=limit)
            return
        async with on_rabbit.dead_letters(backends.settings.broker_url, limit=limit) as letters:
            yield letters


def find(letters: Sequence[Letter], letter_id: str) -> Letter:
    """Return one of the letters.

    Raises:
        DeadLetterNotFound: None has this id.
    """
    found = next((letter for letter in letters if letter.id == letter_id), None)
    if found is None:
        raise DeadLetterNotFound(f"there is no dead letter {letter_id}")
    return found


async def requeue(letter: Letter, backends: Backends) -> None:
    """Submit a message again, on behalf of its sender, and remove the letter.

    Raises:
        DeadLetterRefused: It is refused again; the letter stays.
    """
    try:
        await intake.requeue(letter.message, letter.route, backends)
    except Exception as error:
        if outcome_of(error) in (None, "transient"):
            raise
        code = getattr(error, "code", "order_refused")
        raise DeadLetterRefused(f"{letter.id} stays: {code}: {error}") from error
    await letter.remove()
