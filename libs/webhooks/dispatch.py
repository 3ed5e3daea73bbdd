"""The webhook dispatcher: sends due deliveries, many at once, so that slow receivers delay no others."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import structlog
from structlog.contextvars import bound_contextvars

from libs.backends import Backends
from libs.outbound.post import Poster
from libs.runtime.background import supervised_loops
from libs.storage import webhook_dispatch
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.webhook_dispatch import ClaimedDelivery
from libs.webhooks.delivery_attempt import attempt_delivery

MAX_CONCURRENT = 256
LEASE_MARGIN_S = 10.0  # added to the time limit of one request
SEARCH_S = 60.0  # for claiming all that is due
PAUSE_S = 0.02  # before each search for due deliveries, so that one search finds what ends close together
STOP_GRACE_S = 2.0  # for running attempts when the process stops
WAKING_EVENTS = ("job.*", "batch.*", "image.*")  # broker events that may come with a webhook event

log = structlog.get_logger(__name__)


@asynccontextmanager
async def dispatching_webhooks(backends: Backends) -> AsyncGenerator[None]:
    """Send webhook events while the block runs; then return deliveries that do not end within moments."""
    async with Poster(backends.guard, timeout_s=backends.settings.webhook_timeout_s) as poster:
        dispatcher = WebhookDispatcher(backends, poster)
        try:
            async with supervised_loops(
                {"webhook_dispatch": dispatcher.run(), "webhook_wakeups": dispatcher.listen()}
            ):
                yield
        finally:
            await dispatcher.stop()


class WebhookDispatcher:
    """Claims due deliveries and sends them; the broker's events only shorten the wait for the next search."""

    def __init__(self, backends: Backends, poster: Poster) -> None:
        self.backends = backends
        self.poster = poster
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Send due deliveries until cancelled."""
        while True:
            self._wake.clear()
            await self._search()
            with suppress(TimeoutError):
                # asyncio.timeout, because wait_for may lose the cancellation of this task
                async with asyncio.timeout(self.backends.settings.tick_s):
                    await self._wake.wait()
            await asyncio.sleep(PAUSE_S)

    async def listen(self) -> None:
        """Start the next search as soon as a job, batch or image has ended; until cancelled."""
        async with self.backends.broker.events(*WAKING_EVENTS) as events:
            async for _ in events:
                self._wake.set()

    async def stop(self) -> None:
        """Wait a moment for running attempts, and cancel the rest, which returns their deliveries."""
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_GRACE_S)
        rest = list(self._running)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _search(self) -> None:
        """Start what is due; an error ends this search, not the dispatcher."""
        deadline = asyncio.timeout(SEARCH_S)
        try:
            async with deadline:
                await self._start_due()
        except DatabaseUnavailable as error:
            log.warning("step_failed", step="webhook_dispatch", error=str(error))
        except Exception as error:
            if deadline.expired():
                log.error("step_timed_out", step="webhook_dispatch", after_s=SEARCH_S, error=repr(error))
            else:
                log.exception("step_broke", step="webhook_dispatch")

    async def _start_due(self) -> None:
        lease_s = self.backends.settings.webhook_timeout_s + LEASE_MARGIN_S
        while (free := MAX_CONCURRENT - len(self._running)) > 0:
            claims = await webhook_dispatch.claim_due(free, lease_s=lease_s)
            for claimed in claims:
                task = asyncio.create_task(self._send(claimed))
                self._running.add(task)
                task.add_done_callback(self._ended)
            if not claims:
                return

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()  # its receiver may get the next delivery

    async def _send(self, claimed: ClaimedDelivery) -> None:
        with bound_contextvars(
            delivery_id=str(claimed.id), event_type=claimed.event, request_id=claimed.request_id
        ):
            try:
                await attempt_delivery(claimed, self.poster, self.backends)
            except asyncio.CancelledError:
                await asyncio.shield(self._release(claimed))
                raise
            except DatabaseUnavailable as error:
                log.warning("delivery_left_to_its_lease", error=str(error))
            except Exception:
                log.exception("delivery_broke")  # it is tried again when its lease ends

    async def _release(self, claimed: ClaimedDelivery) -> None:
        try:
            async with asyncio.timeout(STOP_GRACE_S):
                await webhook_dispatch.release(claimed)
        except (DatabaseUnavailable, TimeoutError) as error:
            log.warning("delivery_left_to_its_lease", error=str(error))
