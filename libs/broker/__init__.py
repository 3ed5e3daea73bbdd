"""Messages to workers and events to listeners: within this process, or through RabbitMQ."""

from libs.broker.errors import BrokerUnavailable, DeadLetter
from libs.broker.open import open_broker
from libs.broker.port import Broker, BrokerMessage, Event, Handler

__all__ = [
    "Broker",
    "BrokerMessage",
    "BrokerUnavailable",
    "DeadLetter",
    "Event",
    "Handler",
    "open_broker",
]
