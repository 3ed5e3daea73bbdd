"""Errors of the message broker, and the error that a handler raises to dead-letter a message."""

from typing import ClassVar

from libs.contracts.outcome import Outcome
from libs.runtime import metrics


class BrokerUnavailable(Exception):
    """The broker is down, did not confirm in time, or has no queue for the message."""

    code = "broker_unavailable"
    outcome: ClassVar[Outcome] = "transient"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        metrics.BACKEND_ERRORS.add("broker")


class DeadLetter(Exception):
    """Raise in a handler to dead-letter a message that can never be processed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
