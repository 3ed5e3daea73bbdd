"""Who waits for an answer gets it, whatever is killed when."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import aio_pika
import psutil
import pytest

from apps.scheduler.scheduler import scheduling
from libs.broker.port import BrokerMessage
from libs.contracts.enums import Priority
from libs.contracts.orders import IngestOrder, decode_order
from libs.contracts.topology import JOBS, Route
from libs.jobs.cancel import cancel
from libs.orders.accept import AcceptOrder, accept_order
from libs.storage import leases
from libs.storage.database.tables import Job, Reply
from libs.storage.job_failure import Failure
from tests.broker.broker_client import QueueingConsumer
from tests.orders.producer import BROKER_USER, Producer, data_url, ingest, producer_for, transform
from tests.storage.rows import an_owner, claimed
from tests.support.backends import NewBackends
from tests.support.client import Client
from tests.support.fault_proxy import FaultProxy
from tests.support.services import own_database
from tests.support.shared_sites import signed_in
from tests.support.site import Site, running_site
from tests.support.site_jobs import SLOW, busy_one_of
from tests.support.waiting import WAIT_S


@pytest.mark.services
async def test_a_worker_killed_over_an_order_leaves_its_answer_to_the_next(
    tmp_path: Path, large_photo: Path
) -> None:
    settings = {"AMQP_TRUSTED_USERS": BROKER_USER, "JOB_LEASE_S": "2"}
    async with running_site("services", tmp_path / "site", **settings) as site, signed_in(site) as client:
        async with a_sender(site) as (send, replies):
            await send(transform(client.username, {"url": data_url(large_photo)}, operations=SLOW))
            await busy_one_of(psutil.Process(site.apps["worker"].pid))
            await site.kill("worker")
            await site.start("worker")
            reply = await asyncio.wait_for(replies.get(), WAIT_S)
        outcome = json.loads(reply.body)
        assert (reply.correlation_id, outcome["status"]) == ("mine", "completed")
        results = [one for one in (await client.get("/api/images")).json if one["parent"]]
        assert [one["id"] for one in results] == [outcome["image_id"]]


async def test_the_scheduler_answers_for_a_worker_that_died_before_it_could(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends()
    owner = await an_owner()
    async with producer_for(backends) as producer:
        job_id = await taken(producer, owner.username, photo)
        await leases.fail(await claimed(job_id), Failure("url_timeout", "and here the worker dies"))
        assert await Reply.count() == 1
        async with scheduling(backends):
            reply = await producer.reply()
            async with asyncio.timeout(WAIT_S):
                while await Reply.count():
                    await asyncio.sleep(0.02)
    assert (reply["error_code"], reply["job_id"]) == ("url_timeout", str(job_id))


async def test_a_job_that_loses_all_its_workers_is_answered(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends()
    owner = await an_owner()
    async with producer_for(backends) as producer:
        job_id = await taken(producer, owner.username, photo)
        await claimed(job_id, lease_s=0.01)
        await Job.update({Job.attempts: backends.settings.max_attempts}).where(Job.id == job_id)
        async with scheduling(backends):
            reply = await producer.reply()
    assert (reply["status"], reply["error_code"]) == ("failed", "attempts_exhausted")


async def test_a_cancelled_order_is_answered(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends()
    owner = await an_owner()
    async with producer_for(backends) as producer:
        await cancel(owner, await taken(producer, owner.username, photo), backends)
        async with scheduling(backends):
            reply = await producer.reply()
    assert (reply["type"], reply["status"]) == ("job.cancelled", "cancelled")


@pytest.mark.services
async def test_an_order_that_comes_while_the_database_is_away_waits_for_it(
    tmp_path: Path, photo: Path
) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(
            FaultProxy.to(await stack.enter_async_context(own_database()))
        )
        settings = {"AMQP_TRUSTED_USERS": BROKER_USER, "DATABASE_URL": proxy.url}
        site = await stack.enter_async_context(running_site("services", tmp_path / "site", **settings))
        client = await stack.enter_async_context(Client(site))
        await client.register()  # by HTTP: the proxy of the database runs in this very loop
        await client.login()
        send, replies = await stack.enter_async_context(a_sender(site))
        proxy.cut()
        await send(ingest(client.username, {"url": data_url(photo)}))
        for _ in range(3):
            proxy.refused.clear()
            await asyncio.wait_for(proxy.refused.wait(), WAIT_S)
        assert replies.empty()
        proxy.restore()
        outcome = json.loads((await asyncio.wait_for(replies.get(), WAIT_S)).body)
    assert (outcome["status"], outcome["message_id"]) == ("completed", "one")


@asynccontextmanager
async def a_sender(
    site: Site,
) -> AsyncGenerator[tuple[Callable[[object], Awaitable[None]], asyncio.Queue[BrokerMessage]]]:
    """Sends orders named `one` to a site, and gets the replies."""
    async with await aio_pika.connect(site.settings["BROKER_URL"]) as connection:
        channel = await connection.channel()
        own = await channel.declare_queue(exclusive=True)
        jobs = await channel.get_exchange(JOBS, ensure=False)
        replies: asyncio.Queue[BrokerMessage] = asyncio.Queue()
        await own.consume(QueueingConsumer(replies), no_ack=True)

        async def send(order: object) -> None:
            message = aio_pika.Message(
                json.dumps(order).encode(),
                user_id=BROKER_USER,
                message_id="one",
                correlation_id="mine",
                reply_to=own.name,
            )
            await jobs.publish(message, Route.TRANSFORM.value)

        yield send, replies


async def taken(producer: Producer, owner: str, photo: Path) -> UUID:
    """The job of an order that a worker took in before it ended."""
    before = {row["id"] for row in await Job.select(Job.id)}
    order = decode_order(json.dumps(ingest(owner, {"url": data_url(photo)})).encode())
    assert isinstance(order, IngestOrder)
    command = AcceptOrder(
        order=order,
        sender=BROKER_USER,
        message_id=uuid4().hex,
        reply_to=producer.reply_to,
        correlation_id=None,
        request_id=None,
        priority=Priority.INTERACTIVE,
    )
    await accept_order(command, producer.backends)
    (job_id,) = {row["id"] for row in await Job.select(Job.id)} - before
    return job_id
