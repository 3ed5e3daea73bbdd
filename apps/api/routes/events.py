"""The event stream of all jobs and batches of an account."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.status_codes import HTTP_201_CREATED

from apps.api.context import RequestContext
from apps.api.middleware.key_access import needs, require_scope
from apps.api.middleware.stream_access import ticket_for
from apps.api.openapi.document import BEARER
from apps.api.responses.account_feeds import OVERLAP, Feed, State, with_following
from apps.api.responses.batch_views import batch_view
from apps.api.responses.event_streams import OpenStream
from apps.api.responses.job_views import job_view
from apps.api.responses.stream_tickets import LAST_EVENT_ID, new_ticket
from libs.auth.stream_tickets import ALL_OF_ACCOUNT
from libs.contracts.enums import Scope
from libs.contracts.views.streams import Deleted, EventTicket, StreamState
from libs.storage import account_changes
from libs.storage.database.tables import Batch, now

STREAM_S = 3600.0  # the longest that an event stream stays open; clients reconnect
RESUMED = timedelta(hours=1)  # the longest gap after which a stream is resumed


class Events(Controller):
    """One event stream of all jobs and batches."""

    path = "/api/events"
    tags = ("Jobs",)
    security = BEARER
    opt = needs(Scope.JOBS)

    @get(operation_id="streamAll", media_type="text/event-stream", opt=ticket_for(ALL_OF_ACCOUNT))
    async def events(
        self, context: NamedDependency[RequestContext], ticket: FromQuery[str | None] = None
    ) -> ServerSentEvent:
        """Stream all of the caller's jobs and batches and their changes as server-sent events.

        It begins with what is under way or has just ended, and then `state` with `ready`. Events are `job`,
        `batch` and `deleted`; jobs of batches are shown by the counters of their batch alone. After a gap of
        up to an hour `Last-Event-ID` resumes the stream with what ended meanwhile; after a longer one `state`
        is `gap`: read the lists again. `ticket` takes the place of a header, for browsers.
        """
        require_scope(context.request, Scope.BATCHES)
        opened = context.event_streams.open_stream(context.caller.id)
        content = _changes(context, _last_seen(context.request), opened)
        return ServerSentEvent(content, headers={"Cache-Control": "no-store"})

    @post("/ticket", operation_id="createAllTicket", status_code=HTTP_201_CREATED)
    async def ticket(self, context: NamedDependency[RequestContext]) -> EventTicket:
        """Create a ticket that opens the event stream of all jobs and batches for ten minutes."""
        require_scope(context.request, Scope.BATCHES)
        return new_ticket(ALL_OF_ACCOUNT, context)


async def _changes(
    context: RequestContext, last_seen: datetime | None, _opened: OpenStream
) -> AsyncGenerator[ServerSentEventMessage, None]:
    streams, owner = context.event_streams, context.caller.id
    began = False
    async for feed, seen in streams.account_changes(owner, within_s=STREAM_S):
        last_id = _event_id(feed)
        states = feed.since(seen)
        gap = began and feed.forgotten > seen
        if not began and last_seen is not None:
            gap = now() - last_seen > RESUMED
            states = [*([] if gap else await _ended_since(owner, last_seen, states)), *states]
        for event, data in _events(states, context.base_url):
            yield ServerSentEventMessage(data=data, event=event, id=last_id)
        if gap:
            yield _state("gap", last_id)
        if not began:
            yield _state("ready", last_id)
            began = True
        elif not states:
            yield ServerSentEventMessage(comment="alive", id=last_id)


def _events(states: Sequence[State], base_url: str) -> Iterator[tuple[str, str]]:
    """Yield the names and data of the events that show states."""
    for state in states:
        if state.row is None:
            name, view = "deleted", Deleted(id=state.id)
        elif isinstance(state.row, Batch):
            name, view = "batch", batch_view(state.row, base_url)
        else:
            name, view = "job", job_view(state.row, base_url, following=state.following)
        yield name, msgspec.json.encode(view).decode()


async def _ended_since(owner: int, moment: datetime, shown: Sequence[State]) -> list[State]:
    """Return what ended since a moment and is not among `shown`, the oldest first."""
    since = moment - OVERLAP
    rows = [
        *await account_changes.batches_ended(owner, since),
        *await account_changes.jobs_ended(owner, since),
    ]
    known = {state.id for state in shown}
    missing = sorted((row for row in rows if row.id not in known), key=lambda row: row.id)
    return [
        State(nth=0, id=row.id, row=row, following=following)
        for row, following in await with_following(missing)
    ]


def _state(state: str, event_id: str) -> ServerSentEventMessage:
    data = msgspec.json.encode(msgspec.convert({"state": state}, StreamState)).decode()
    return ServerSentEventMessage(data=data, event="state", id=event_id)


def _event_id(feed: Feed) -> str:
    """Return the moment until which a client has seen everything, in milliseconds since 1970."""
    return str(int(feed.read_at.timestamp() * 1000)) if feed.read_at else ""


def _last_seen(request: Request[Any, Any, Any]) -> datetime | None:
    """Return the moment that the client has seen; the beginning of time if its id is none of ours."""
    sent = request.headers.get(LAST_EVENT_ID)
    if not sent:
        return None
    try:
        return datetime.fromtimestamp(int(sent) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
