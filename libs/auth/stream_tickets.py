"""Tickets that open one event stream or download: a browser's EventSource and links cannot send a header."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from libs.auth.tokens import SignatureInvalid, sign, verify

TICKET_S = 600  # reconnects included
# What a ticket opens that is of an account as a whole.
ALL_OF_ACCOUNT = UUID(int=0)  # the stream of all jobs and batches
EXPORT = UUID(int=1)


class StreamTicket(Struct, frozen=True):
    """What a ticket opens, and the login, API key or upload token that it was made with."""

    subject: UUID  # a job, a batch, or one of those above
    user_id: int
    family: UUID | None = None
    key: UUID | None = None
    upload_token: UUID | None = None


def sign_ticket(secret: str, ticket: StreamTicket) -> tuple[str, datetime]:
    """Return the signed ticket and the time of its end."""
    claims = {
        "sub": str(ticket.subject),
        "user": ticket.user_id,
        "family": ticket.family and str(ticket.family),
        "key": ticket.key and str(ticket.key),
        "upload_token": ticket.upload_token and str(ticket.upload_token),
    }
    ends_at = datetime.now(UTC) + timedelta(seconds=TICKET_S)
    return sign(secret, "stream", claims, ttl_s=TICKET_S), ends_at


def verify_ticket(secret: str, text: str, subject: UUID) -> StreamTicket:
    """Return a ticket for `subject`.

    Raises:
        SignatureExpired, SignatureInvalid: As `verify`; a ticket for another is invalid.
    """
    claims = verify(secret, "stream", text)
    if claims["sub"] != str(subject):
        raise SignatureInvalid("the ticket is for something else")
    made_with = {name: UUID(claims[name]) for name in ("family", "key", "upload_token") if claims.get(name)}
    return StreamTicket(subject, claims["user"], **made_with)
