"""RabbitMQ's definitions: the topology of the apps, and users who may do their part and nothing else."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelClosed, ProbableAuthenticationError
from aiormq.exceptions import AMQPConnectionError, ChannelAccessRefused

from infra.rabbitmq import render
from libs.broker.rabbit_connection import open_connection
from libs.contracts.topology import DEAD, DEAD_ARGUMENTS, EVENTS, JOBS, JOBS_OF, QUEUE_ARGUMENTS, Route
from tests.broker.rabbit_node import RabbitNode
from tests.orders.producer import data_url, transform
from tests.support.shared_sites import signed_in
from tests.support.site import Site, running_site
from tests.support.waiting import WAIT_S

PASSWORDS = {name: f"password-of-{name}" for name in render.users()}


def definitions() -> dict[str, Any]:
    return json.loads(render.DEFINITIONS.read_text())


def test_no_password_stands_in_them() -> None:
    assert "password" not in render.DEFINITIONS.read_text()
    assert set(render.users()) == {"operator", "api", "worker", "scheduler", "producer", "consumer"}
    with pytest.raises(KeyError):
        render.render({})


def test_their_topology_is_that_of_the_apps() -> None:
    given = definitions()
    exchanges = {item["name"]: (item["type"], item["durable"]) for item in given["exchanges"]}
    own = f"{JOBS_OF}producer"
    ours = {JOBS: ("direct", True), EVENTS: ("topic", True), DEAD: ("fanout", True), own: ("fanout", True)}
    assert exchanges == ours
    queues = {item["name"]: (item["durable"], item["arguments"]) for item in given["queues"]}
    routes = {route.queue: (True, QUEUE_ARGUMENTS) for route in Route}
    assert queues == {DEAD: (True, DEAD_ARGUMENTS), **routes}
    bindings = {(item["source"], item["routing_key"], item["destination"]) for item in given["bindings"]}
    routed = {(JOBS, route.value, route.queue) for route in Route}
    assert bindings == {(DEAD, "", DEAD), (own, "", JOBS), *routed}


@pytest.fixture(scope="module")
async def node() -> AsyncIterator[RabbitNode]:
    """A broker that has loaded them."""
    node = RabbitNode(Path(mkdtemp(prefix="darkroom-definitions-")), render.render(PASSWORDS))
    await node.start()
    async with asyncio.timeout(WAIT_S):
        while not await knows(node, "operator"):  # they are loaded a moment after it listens
            await asyncio.sleep(0.1)
    yield node
    await node.remove()


async def knows(node: RabbitNode, user: str, password: str | None = None) -> bool:
    try:
        connection = await open_connection(node.url_of(user, password or PASSWORDS[user]))
    except (ProbableAuthenticationError, AMQPConnectionError):
        return False
    await connection.close()
    return True


@asynccontextmanager
async def logged_in(node: RabbitNode, user: str) -> AsyncGenerator[AbstractChannel]:
    async with await aio_pika.connect(node.url_of(user, PASSWORDS[user])) as connection:
        yield await connection.channel(on_return_raises=False)


Act = Callable[[AbstractChannel, str], Awaitable[object]]


async def publish(channel: AbstractChannel, exchange: str, key: str, user_id: str | None = None) -> None:
    target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
    await target.publish(aio_pika.Message(b"{}", user_id=user_id), key, mandatory=False)


async def consume(channel: AbstractChannel, queue: str) -> None:
    async def ignore(_: object) -> None: ...

    await (await channel.get_queue(queue, ensure=False)).consume(ignore)


async def listen(channel: AbstractChannel, _: str) -> None:
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(EVENTS, "job.*")
    await consume(channel, queue.name)


async def delete_queue(channel: AbstractChannel, _: str) -> None:
    await channel.queue_delete(Route.DESCRIBE.queue)


async def declare(channel: AbstractChannel, _: str) -> None:
    await channel.declare_queue("darkroom.mine", durable=True)


ACTS: dict[str, Act] = {
    "publish a job": lambda channel, _: publish(channel, JOBS, "describe"),
    "publish a job under its name": lambda channel, user: publish(channel, JOBS, "describe", user),
    "publish a job by the producer's exchange": lambda channel, _: publish(
        channel, f"{JOBS_OF}producer", "describe"
    ),
    "publish a job event": lambda channel, _: publish(channel, EVENTS, "job.completed"),
    "publish an image event": lambda channel, _: publish(channel, EVENTS, "image.deleted"),
    "publish another event": lambda channel, _: publish(channel, EVENTS, "anything"),
    "dead-letter": lambda channel, _: publish(channel, DEAD, ""),
    "reply": lambda channel, _: publish(channel, "", "somebody"),
    "consume jobs": lambda channel, _: consume(channel, Route.EDIT.queue),
    "read dead letters": lambda channel, _: consume(channel, DEAD),
    "listen to events": listen,
    "await replies": lambda channel, _: consume_replies(channel),
    "declare queues": declare,
    "delete queues": delete_queue,
}
EVENT = {"publish a job event", "publish an image event"}
JOB = {"publish a job", "publish a job under its name"}
ANY_USER = {"await replies"}  # needs no permission in RabbitMQ
MAY = {
    "api": JOB | EVENT | {"listen to events", "read dead letters"},  # for operators
    "worker": JOB | EVENT | {"dead-letter", "reply", "consume jobs", "listen to events"},
    "scheduler": JOB | EVENT | {"reply", "listen to events"},
    "producer": JOB | {"publish a job by the producer's exchange"},
    "consumer": {"listen to events"},
}


async def consume_replies(channel: AbstractChannel) -> None:
    async def ignore(_: object) -> None: ...

    await (await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)).consume(ignore, no_ack=True)


@pytest.mark.services
@pytest.mark.parametrize("user", MAY)
async def test_each_user_may_do_its_part_and_nothing_else(node: RabbitNode, user: str) -> None:
    allowed: set[str] = set()
    for name, act in ACTS.items():
        async with logged_in(node, user) as channel:
            try:
                await act(channel, user)
                allowed.add(name)
            except ChannelAccessRefused:
                pass
    assert allowed == MAY[user] | ANY_USER


@pytest.mark.services
async def test_publishing_under_another_name_or_without_a_password_is_refused(node: RabbitNode) -> None:
    async with logged_in(node, "producer") as channel:
        with pytest.raises(ChannelClosed, match="user_id"):
            await publish(channel, JOBS, "describe", "worker")
    assert not await knows(node, "producer", "wrong")
    assert not await knows(node, "guest", "guest")


@pytest.fixture
async def strict_site(node: RabbitNode, tmp_path: Path) -> AsyncIterator[Site]:
    """A site whose apps are the broker's users of their names."""
    own = {f"{app}.BROKER_URL": node.url_of(app, PASSWORDS[app]) for app in ("api", "worker", "scheduler")}
    settings = {
        "BROKER_URL": node.url_of("operator", PASSWORDS["operator"]),
        "AMQP_TRUSTED_USERS": "producer",
    }
    async with running_site("services", tmp_path / "site", **settings, **own) as site:
        yield site


@pytest.mark.services
async def test_the_apps_need_no_more_than_their_users_may(
    node: RabbitNode, strict_site: Site, photo: Path
) -> None:
    replies: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def into(queue: asyncio.Queue[dict[str, Any]]) -> Callable[[Any], Awaitable[None]]:
        async def keep(message: Any) -> None:
            queue.put_nowait(json.loads(message.body))

        return keep

    async with (
        signed_in(strict_site) as client,
        logged_in(node, "producer") as producer,
        logged_in(node, "consumer") as consumer,
    ):
        own = await consumer.declare_queue("consumer.test", exclusive=True)
        await own.bind(EVENTS, "#")
        await own.consume(into(events), no_ack=True)
        direct = await producer.get_queue("amq.rabbitmq.reply-to", ensure=False)
        await direct.consume(into(replies), no_ack=True)
        jobs = await producer.get_exchange(JOBS, ensure=False)
        for body in (b"no order", json.dumps(transform(client.username, {"url": data_url(photo)})).encode()):
            message = aio_pika.Message(body, user_id="producer", reply_to=direct.name)
            await jobs.publish(message, "transform")
        received = [await asyncio.wait_for(replies.get(), WAIT_S) for _ in range(2)]
        assert {reply["type"] for reply in received} == {"order.refused", "job.completed"}

        kept = await client.upload(photo, [{"op": "grayscale"}], wait_s=30)
        assert kept.status == 201
        assert (await client.call("DELETE", f"/api/images/{kept.json['id']}")).status == 200
        async with asyncio.timeout(WAIT_S):
            seen: set[str] = set()
            while not seen >= {"job.completed", "image.deleted"}:
                seen.add((await events.get())["type"])
    for app in ("api", "worker", "scheduler"):
        log = strict_site.log_of(app).read_text()
        assert "ACCESS_REFUSED" not in log
        assert [line for line in log.splitlines() if '"level": "error"' in line] == []
