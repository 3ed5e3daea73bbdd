"""Event streams by ticket: for browsers, whose EventSource sends no header of its own."""

from typing import Any

from litestar import Request

from apps.api.problems import NotAuthenticated
from libs.auth.stream_tickets import ALL_OF_ACCOUNT, verify_ticket
from libs.settings import Settings
from libs.storage import api_keys, refresh_tokens, upload_tokens
from libs.storage.database.tables import BaseUser

BY_TICKET: dict[str, Any] = {"ticket": True}
"""The option of a route that a ticket opens: a stream, whose path has one id, or none for an account."""


def ticket_of(request: Request[Any, Any, Any]) -> str | None:
    """Return the ticket of a request for a stream, or None."""
    if "ticket" not in request.scope["route_handler"].opt:
        return None
    return request.query_params.get("ticket")


async def ticket_holder(request: Request[Any, Any, Any], text: str, settings: Settings) -> BaseUser:
    """Return the account of a ticket, whose login, API key or upload token must still be valid.

    Raises:
        SignatureExpired, SignatureInvalid: The ticket is not valid, or for another stream.
        NotAuthenticated: The login, the key or the upload token has ended.
    """
    [subject] = request.path_params.values() or [ALL_OF_ACCOUNT]
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
