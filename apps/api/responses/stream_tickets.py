"""Answers about event streams: tickets, and the end of what a client has seen to its end."""

from typing import Any
from uuid import UUID

from litestar import Request, Response
from litestar.status_codes import HTTP_204_NO_CONTENT

from apps.api.context import RequestContext
from apps.api.middleware.authentication import access_claims
from apps.api.middleware.upload_token_access import used_token
from libs.auth.stream_tickets import StreamTicket, sign_ticket
from libs.contracts.views.streams import EventTicket
from libs.settings import Settings
from libs.storage.database.tables import ApiKey

LAST_EVENT_ID = "last-event-id"


def new_ticket(subject: UUID, context: RequestContext) -> EventTicket:
    """Make a ticket for the stream of `subject`, at the address of the request less its last part."""
    stream = context.request.scope["path"].rstrip("/").removesuffix("/ticket")
    return _ticket(subject, stream, context)


def job_stream(job_id: UUID, context: RequestContext) -> str:
    """Return the address of a job's event stream, with a ticket."""
    return _ticket(job_id, f"/api/jobs/{job_id}/events", context).url


def _ticket(subject: UUID, stream: str, context: RequestContext) -> EventTicket:
    request, settings = context.request, context.settings
    text, expires_at = sign_ticket(
        settings.secret_key, StreamTicket(subject, context.caller.id, **_made_with(request, settings))
    )
    return EventTicket(ticket=text, url=f"{context.base_url}{stream}?ticket={text}", expires_at=expires_at)


def _made_with(request: Request[Any, Any, Any], settings: Settings) -> dict[str, UUID]:
    """Return what a request was authenticated by; a ticket ends with it."""
    key: ApiKey | None = request.state.get("api_key")
    token = used_token(request)
    if key is not None:
        return {"key": key.id}
    if token is not None:
        return {"upload_token": token.id}
    return {"family": UUID(access_claims(request, settings)["family"])}


def has_seen(request: Request[Any, Any, Any], event_id: str) -> bool:
    """Return whether the client that reconnects has received this event."""
    return request.headers.get(LAST_EVENT_ID) == event_id


def no_more_events() -> Response[Any]:
    """Answer 204, after which an EventSource does not reconnect (https://html.spec.whatwg.org/#server-sent-events)."""
    return Response(b"", status_code=HTTP_204_NO_CONTENT)
