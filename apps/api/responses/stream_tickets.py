"""Answers about event streams: tickets, and the end of what a client has seen to its end."""

from typing import Any
from uuid import UUID

from litestar import Request, Response
from litestar.status_codes import HTTP_204_NO_CONTENT

from apps.api.context import RequestContext
from apps.api.middleware.authentication import access_claims
from libs.auth.stream_tickets import StreamTicket, sign_ticket
from libs.contracts.views.streams import EventTicket
from libs.storage.database.tables import ApiKey

LAST_EVENT_ID = "last-event-id"


def new_ticket(subject: UUID, context: RequestContext) -> EventTicket:
    """Make a ticket for the stream of `subject`, at the address of the request less its last part."""
    request, settings = context.request, context.settings
    key: ApiKey | None = request.state.get("api_key")
    family = None if key is not None else UUID(access_claims(request, settings)["family"])
    ticket = StreamTicket(subject, context.caller.id, family, key and key.id)
    text, expires_at = sign_ticket(settings.secret_key, ticket)
    stream = request.scope["path"].rstrip("/").removesuffix("/ticket")
    return EventTicket(ticket=text, url=f"{context.base_url}{stream}?ticket={text}", expires_at=expires_at)


def has_seen(request: Request[Any, Any, Any], event_id: str) -> bool:
    """Return whether the client that reconnects has received this event."""
    return request.headers.get(LAST_EVENT_ID) == event_id


def no_more_events() -> Response[Any]:
    """Answer 204, after which an EventSource does not reconnect (https://html.spec.whatwg.org/#server-sent-events)."""
    return Response(b"", status_code=HTTP_204_NO_CONTENT)
