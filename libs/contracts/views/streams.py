"""Tickets of event streams."""

from datetime import datetime

from msgspec import Struct


class EventTicket(Struct, frozen=True, kw_only=True):
    """A ticket that opens one event stream until it expires, reconnects included. `url` has it already."""

    ticket: str
    """The ticket itself."""
    url: str
    """The address of the stream, with the ticket."""
    expires_at: datetime
    """When the ticket ends."""
