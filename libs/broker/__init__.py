"""Messages to workers and events to listeners: in this process, or through RabbitMQ."""

from libs.broker.errors import BrokerUnavailable, DeadLetter
from libs.broker.open import open_broker
from libs.broker.port import Broker, Delivery, Event, Handler

__all__ = [
    "Broker",
    "BrokerUnavailable",
    "DeadLetter",
    "Delivery",
    "Event",
    "Handler",
    "open_broker",
]
