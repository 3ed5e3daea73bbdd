"""Tickets that open one event stream: a browser's EventSource cannot send a header."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from libs.auth.tokens import SignatureInvalid, sign, verify

TICKET_S = 600  # reconnects included
ALL_OF_ACCOUNT = UUID(int=0)  # the subject of the stream of all jobs and batches


class StreamTicket(Struct, frozen=True):
    """Which stream a ticket opens, and the login, API key or upload token that it was made with."""

    subject: UUID  # a job, a batch, or ALL_OF_ACCOUNT
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
    """Return a ticket for the stream of `subject`.

    Raises:
        SignatureExpired, SignatureInvalid: As `verify`; a ticket for another stream is invalid.
    """
    claims = verify(secret, "stream", text)
    if claims["sub"] != str(subject):
        raise SignatureInvalid("the ticket is for another stream")
    made_with = {name: UUID(claims[name]) for name in ("family", "key", "upload_token") if claims.get(name)}
    return StreamTicket(subject, claims["user"], **made_with)
