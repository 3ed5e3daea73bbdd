"""Primary keys: UUIDv7, made in Python (RFC 9562)."""

import secrets
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import uuid6


def new_id() -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562); ids sort by the time they were made."""
    return uuid.UUID(int=uuid6.uuid7().int)


def new_ids() -> Iterator[uuid.UUID]:
    """Yield ascending UUIDv7s of one moment, without end (RFC 9562, section 6.2, method 2).

    Use it for many ids: `new_id` gives each id a millisecond of its own, so the last would lie in the future.
    """
    head = (time.time_ns() // 10**6) << 80 | 7 << 76
    return (uuid.UUID(int=head | _spread(number)) for number in count(secrets.randbits(73)))


def _spread(number: int) -> int:
    """Return 74 bits with the two bits of the variant between them."""
    return (number >> 62) << 64 | 0b10 << 62 | number & (1 << 62) - 1


def made_at(made_id: uuid.UUID) -> datetime:
    """Return the moment at which a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((made_id.int >> 80) / 1000, UTC)


def first_id_since(moment: datetime) -> uuid.UUID:
    """Return the smallest UUIDv7 that could be made at `moment`."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)
