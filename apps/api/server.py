"""The API's process: its server and its loops."""

import asyncio
from collections.abc import Mapping

from litestar.types import ASGIApp

from apps.api.app import create_app
from apps.api.middleware.rate_limits import RequestCounts
from apps.api.responses.event_streams import EventStreams
from apps.http.mounts import with_mounted
from apps.http.server import serve_http
from libs.backends import Backends
from libs.images.artifact import keep_removing_unrecorded
from libs.runtime.background import supervised_loops

FORGET_COUNTS_S = 60


async def serve_api(
    backends: Backends, stop: asyncio.Event, *, mounted: Mapping[str, ASGIApp] | None = None
) -> None:
    """Serve the API, and other apps below the paths in `mounted`, until `stop`.

    Raises:
        ExceptionGroup: A loop of the API died; the server has shut down in order.
    """
    event_streams = EventStreams(per_account=backends.settings.event_streams_per_account)
    counts = RequestCounts()
    loops = {
        "forget_counts": _forget(counts),
        "remove_unrecorded_objects": keep_removing_unrecorded(backends),
    }
    async with event_streams.listening(backends.broker), supervised_loops(loops):
        app = create_app(backends, event_streams, counts)
        for prefix, other in (mounted or {}).items():
            app = with_mounted(app, prefix, other)
        await serve_http(app, backends.settings, stop, on_stop=event_streams.stop)


async def _forget(counts: RequestCounts) -> None:
    while True:
        await asyncio.sleep(FORGET_COUNTS_S)
        counts.forget_past()
