"""All that can go wrong with a broker, and the one error a handler raises on purpose."""


class BrokerError(Exception):
    """The message broker failed."""

    code = "broker_error"


class BrokerUnavailable(BrokerError):
    """The broker is down, did not confirm in time, or has nowhere to put the message."""

    code = "broker_unavailable"


class DeadLetter(Exception):
    """Raised by a handler: this message can never be worked, put it aside for people to read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
