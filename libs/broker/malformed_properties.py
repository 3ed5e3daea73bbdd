"""Tolerance for messages whose properties cannot be decoded.

pamqp raises an error for a short string that is not UTF-8, and for a timestamp past the year 9999; aiormq
then drops the connection. RabbitMQ checks neither and redelivers the message, so a single sender could keep
every consumer from working.
"""

from pamqp.commands import Basic
from pamqp.header import ContentHeader

MALFORMED_HEADER = "x-unreadable"  # such a message arrives with this header and without its properties

_strict = ContentHeader.unmarshal


def tolerate_malformed_properties() -> None:
    """Receive such messages without their properties. Applies to the whole process; safe to repeat."""
    ContentHeader.unmarshal = _tolerant


def _tolerant(self: ContentHeader, data: bytes) -> None:
    try:
        _strict(self, data)
    except (ValueError, TypeError, ArithmeticError, OSError, RecursionError) as error:
        self.properties = Basic.Properties(headers={MALFORMED_HEADER: type(error).__name__})
