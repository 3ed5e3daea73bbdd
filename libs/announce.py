"""Telling whoever listens what happened."""

import structlog

from libs.backends import Backends
from libs.broker import BrokerUnavailable
from libs.contracts.events import AnyEvent
from libs.contracts.messages import encode

log = structlog.get_logger(__name__)


async def announce(event: AnyEvent, backends: Backends) -> None:
    """Publish an event; the row has told it already, so a broker that is away loses nothing."""
    try:
        await backends.broker.emit(event.type, encode(event))
    except BrokerUnavailable:
        log.warning("event_lost", event_type=event.type)
