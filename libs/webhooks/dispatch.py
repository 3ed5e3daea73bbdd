"""Sending notices: soon after what they tell of, many at once, no receiver in another's way."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import structlog
from structlog.contextvars import bound_contextvars

from libs.backends import Backends
from libs.outbound.post import Poster
from libs.runtime.background import background_tasks
from libs.storage import webhook_dispatch
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.webhook_dispatch import ClaimedDelivery
from libs.webhooks.delivery_attempt import attempt

AT_ONCE = 256
LEASE_MARGIN_S = 10.0  # beyond the time that one request may take
PAUSE_S = 0.02  # before a look at the database: it finds what else ends in these moments, too
GRACE_S = 2.0  # for what is under way when the process stops
TOLD_BY = ("job.*", "batch.*", "image.*")  # events that may come with a notice

log = structlog.get_logger(__name__)


@asynccontextmanager
async def dispatching_webhooks(backends: Backends) -> AsyncGenerator[None]:
    """Send notices while inside; leaving gives back those that are not sent within moments."""
    async with Poster(backends.guard, timeout_s=backends.settings.webhook_timeout_s) as poster:
        notifier = WebhookDispatcher(backends, poster)
        try:
            async with background_tasks(notifier.run(), notifier.listen()):
                yield
        finally:
            await notifier.stop()


class WebhookDispatcher:
    """Claims what is due and sends it; events of the broker only shorten the wait."""

    def __init__(self, backends: Backends, poster: Poster) -> None:
        self.backends = backends
        self.poster = poster
        self._under_way: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self._start_due()
            except DatabaseUnavailable as error:
                log.warning("step_failed", step="notify", error=str(error))
            except Exception:
                log.exception("step_broke", step="notify")
            with suppress(TimeoutError):
                async with asyncio.timeout(self.backends.settings.tick_s):  # wait_for may swallow our own end
                    await self._wake.wait()
            await asyncio.sleep(PAUSE_S)

    async def listen(self) -> None:
        """Look again as soon as something has ended; until cancelled."""
        async with self.backends.broker.events(*TOLD_BY) as events:
            async for _ in events:
                self._wake.set()

    async def stop(self) -> None:
        """Wait a moment for what is under way, and give the rest back."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=GRACE_S)
        rest = list(self._under_way)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _start_due(self) -> None:
        lease_s = self.backends.settings.webhook_timeout_s + LEASE_MARGIN_S
        while (free := AT_ONCE - len(self._under_way)) > 0:
            claims = await webhook_dispatch.claim_due(free, lease_s=lease_s)
            for claimed in claims:
                task = asyncio.create_task(self._send(claimed))
                self._under_way.add(task)
                task.add_done_callback(self._ended)
            if not claims:
                return

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._wake.set()  # its receiver may take the next

    async def _send(self, claimed: ClaimedDelivery) -> None:
        with bound_contextvars(
            delivery_id=str(claimed.id), event_type=claimed.event, request_id=claimed.request_id
        ):
            try:
                await attempt(claimed, self.poster, self.backends)
            except asyncio.CancelledError:
                await asyncio.shield(self._release(claimed))
                raise
            except DatabaseUnavailable as error:
                log.warning("delivery_left_to_its_lease", error=str(error))
            except Exception:
                log.exception("delivery_broke")  # its lease ends, and it is tried again

    async def _release(self, claimed: ClaimedDelivery) -> None:
        try:
            await webhook_dispatch.release(claimed)
        except DatabaseUnavailable as error:
            log.warning("delivery_left_to_its_lease", error=str(error))
