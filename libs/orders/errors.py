"""Why an AMQP message does not become a job."""

from typing import ClassVar

from libs.contracts.outcome import Outcome


class OrderError(Exception):
    """The message is not accepted as an order."""

    code = "order_refused"
    outcome: ClassVar[Outcome] = "refused"


class UnidentifiedSender(OrderError):
    """The message has no `user_id`, which the broker verifies, and came through no sender's own exchange."""

    code = "unidentified_sender"


class SenderNotAllowed(OrderError):
    """The sender may not act for this owner."""

    code = "sender_not_allowed"


class UnknownOwner(OrderError):
    """There is no active account of this name."""

    code = "unknown_owner"


class ForbiddenKey(OrderError):
    """The owner may not use this object of the inbox."""

    code = "forbidden_key"


class MessageTooLarge(OrderError):
    """The message exceeds the size limit."""

    code = "message_too_large"


class DeadLetterNotFound(Exception):
    """There is no such dead letter among the oldest 1,000: it was submitted again or deleted."""

    code = "dead_letter_not_found"
    outcome: ClassVar[Outcome] = "refused"


class DeadLetterRefused(Exception):
    """The message was refused again, so it stays a dead letter. The text says why."""

    code = "dead_letter_refused"
    outcome: ClassVar[Outcome] = "refused"
