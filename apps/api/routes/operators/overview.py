"""The state of the whole site, once or as a stream."""

from collections.abc import AsyncGenerator

import msgspec
import structlog
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent, ServerSentEventMessage

from apps.api.middleware.key_access import LOGIN_ONLY
from apps.api.openapi.document import LOGIN
from apps.api.operator_context import OperatorContext
from apps.api.responses.event_streams import OpenStream
from apps.api.responses.site_watch import QUICK_S
from libs.contracts.views.operators import SiteOverview
from libs.storage.database.errors import DatabaseUnavailable

STREAM_S = 3600.0  # the longest that an event stream stays open; clients reconnect

log = structlog.get_logger(__name__)


class Overviews(Controller):
    """The state of the whole site."""

    path = "/api/operator"
    tags = ("Operators",)
    security = LOGIN
    opt = LOGIN_ONLY

    @get("/overview", operation_id="getSiteOverview")
    async def overview(self, operator: NamedDependency[OperatorContext]) -> SiteOverview:
        """Get queues, failures, the last hour and what is stored."""
        return await operator.site.overview()

    @get("/events", operation_id="streamSiteOverview", media_type="text/event-stream")
    async def events(self, operator: NamedDependency[OperatorContext]) -> ServerSentEvent:
        """Stream the overview as server-sent events, every two seconds.

        All streams of a process show the same overview, which is computed once.
        """
        opened = operator.event_streams.open_stream(operator.caller.id)
        return ServerSentEvent(_snapshots(operator, opened), headers={"Cache-Control": "no-store"})


async def _snapshots(
    operator: OperatorContext, _opened: OpenStream
) -> AsyncGenerator[ServerSentEventMessage, None]:
    streams = operator.event_streams
    for _ in range(int(STREAM_S / QUICK_S)):
        try:
            if not await operator.may_go_on():
                return
            shown = msgspec.json.encode(await operator.site.overview()).decode()
            yield ServerSentEventMessage(data=shown, event="overview")
        except DatabaseUnavailable as error:
            log.warning("overview_unread", error=str(error))
            yield ServerSentEventMessage(comment="unread")
        if await streams.stopped_within(QUICK_S):
            return
