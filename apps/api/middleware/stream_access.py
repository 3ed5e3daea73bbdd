"""Event streams and downloads by ticket: for browsers, whose links and EventSource send no header."""

from typing import Any
from uuid import UUID

from litestar import Request

from apps.api.middleware.query_parameters import TICKET
from apps.api.problems import NotAuthenticated
from libs.auth.stream_tickets import verify_ticket
from libs.settings import Settings
from libs.storage import api_keys, refresh_tokens, upload_tokens
from libs.storage.database.tables import BaseUser

BY_TICKET: dict[str, Any] = {"ticket": True}
"""The option of a route that a ticket opens, and whose path has one id: that of what the ticket is for."""


def ticket_for(subject: UUID) -> dict[str, Any]:
    """Return the option of a route that a ticket opens, and whose path has no id."""
    return {"ticket": subject}


def ticket_of(request: Request[Any, Any, Any]) -> str | None:
    """Return the ticket of a request for a stream, or None."""
    if "ticket" not in request.scope["route_handler"].opt:
        return None
    return request.query_params.get(TICKET)


async def ticket_holder(request: Request[Any, Any, Any], text: str, settings: Settings) -> BaseUser:
    """Return the account of a ticket, whose login, API key or upload token must still be valid.

    Raises:
        SignatureExpired, SignatureInvalid: The ticket is not valid, or for something else.
        NotAuthenticated: The login, the key or the upload token has ended.
    """
    opened: UUID | bool = request.scope["route_handler"].opt["ticket"]
    [subject] = [opened] if isinstance(opened, UUID) else request.path_params.values()
    ticket = verify_ticket(settings.secret_key, text, subject)
    user: BaseUser | None = None
    if ticket.family is not None:
        user = await refresh_tokens.holder(ticket.user_id, ticket.family)
    elif ticket.key is not None:
        user = await api_keys.holder(ticket.key)
    elif ticket.upload_token is not None:
        user = await upload_tokens.holder(ticket.upload_token)
    if user is None:
        raise NotAuthenticated("what this ticket was made with has ended")
    return user
