"""Messages whose properties cannot be decoded.

pamqp raises on a short string that is no UTF-8, or a timestamp past the year 9999, and aiormq then
drops the connection. RabbitMQ checks neither, and delivers the message again and again: one sender
could keep every consumer from working.
"""

from pamqp.commands import Basic
from pamqp.header import ContentHeader

UNREADABLE = "x-unreadable"  # the header such a message has instead of its properties

_strict = ContentHeader.unmarshal


def accept_unreadable_properties() -> None:
    """Have such a message arrive without its properties. For the whole process; twice is fine."""
    ContentHeader.unmarshal = _tolerant


def _tolerant(self: ContentHeader, data: bytes) -> None:
    try:
        _strict(self, data)
    except (ValueError, TypeError, ArithmeticError, OSError, RecursionError) as error:
        self.properties = Basic.Properties(headers={UNREADABLE: type(error).__name__})
