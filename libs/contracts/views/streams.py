"""Tickets of event streams and downloads, and the events that have no view of their own."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct


class EventTicket(Struct, frozen=True, kw_only=True):
    """A ticket that opens one event stream or download until it expires. `url` has it already."""

    ticket: str
    """The ticket itself."""
    url: str
    """The address of the stream or file, with the ticket."""
    expires_at: datetime
    """When the ticket ends."""


class Deleted(Struct, frozen=True, kw_only=True):
    """A job or batch that is gone."""

    id: UUID
    """Its id."""


class StreamState(Struct, frozen=True, kw_only=True):
    """How complete an event stream is."""

    state: Literal["ready", "gap"]
    """`ready`: all that is under way was sent. `gap`: changes are missing, so read the lists again."""
