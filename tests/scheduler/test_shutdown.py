"""Work that a scheduler has begun when it stops."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.broker.port import Event
from libs.images import expiry
from libs.storage.database.tables import Image, now
from libs.webhooks.dispatch import dispatching_webhooks
from tests.broker.connections import connected_broker
from tests.storage.rows import an_image, an_owner
from tests.support.backends import opened_backends
from tests.support.fault_proxy import FaultProxy
from tests.support.services import own_vhost
from tests.support.waiting import WAIT_S


async def test_an_event_at_the_moment_of_stopping_does_not_keep_the_dispatch_running(tmp_path: Path) -> None:
    async with opened_backends(tmp_path, TICK_S="60") as backends, asyncio.timeout(WAIT_S):
        for pause_s in (0, 0, 0.03, 0.03, 0.06, 0.06):  # before and after it waits for its next tick
            async with dispatching_webhooks(backends):
                await asyncio.sleep(pause_s)
                for _ in range(4):
                    await backends.broker.emit("job.completed", b"")
                    await asyncio.sleep(0)


@pytest.mark.services
async def test_the_event_of_a_deletion_is_published_though_the_scheduler_stops_meanwhile(
    tmp_path: Path,
) -> None:
    async with (
        asyncio.timeout(WAIT_S),
        own_vhost() as url,
        FaultProxy.to(url) as proxy,
        opened_backends(tmp_path, BROKER_URL=proxy.url) as backends,
        connected_broker(url) as listener,
        listener.events("image.deleted", "test.over") as events,
    ):
        owner = await an_owner()
        ids = [(await an_image(owner, expires_at=now())).id for _ in range(5)]
        await backends.broker.emit("warm.up", b"")  # its channel is open
        proxy.pause()
        step = asyncio.create_task(expiry.expire(backends))
        while await Image.count():
            await asyncio.sleep(0.01)
        step.cancel()
        await asyncio.sleep(0)
        proxy.resume()
        with pytest.raises(asyncio.CancelledError):
            await step
        await listener.emit("test.over", b"")
        bodies = [event.body async for event in before("test.over", events)]
        assert [sum(str(one).encode() in body for body in bodies) for one in ids] == [1] * len(ids)


async def before(last: str, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    async for event in events:
        if event.key == last:
            return
        yield event
