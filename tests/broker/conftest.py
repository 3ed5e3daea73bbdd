import os
from collections.abc import AsyncGenerator
from uuid import uuid4

import aio_pika
import aiohttp
import pytest
from yarl import URL

from libs.broker.memory import MemoryBroker
from libs.broker.port import Broker
from libs.broker.rabbit import RabbitBroker
from libs.contracts.topology import DEAD, Route
from tests.broker.broker_client import BrokerClient, memory_broker_client, rabbit_broker_client
from tests.broker.rabbit_node import RabbitNode, prepared_node


@pytest.fixture
async def rabbit_url() -> AsyncGenerator[str]:
    """A server to oneself: an empty vhost where there is a management API, else emptied queues."""
    url = os.environ.get("DARKROOM_TEST_BROKER_URL")
    if not url:
        pytest.fail("DARKROOM_TEST_BROKER_URL is not set: start RabbitMQ with `make services`")
    management = os.environ.get("DARKROOM_TEST_RABBITMQ_MANAGEMENT_URL")
    if not management:
        await purge(url)
        yield url
        return
    vhost = f"test-{uuid4().hex}"
    async with aiohttp.ClientSession(raise_for_status=True) as client:
        await client.put(f"{management}/api/vhosts/{vhost}")
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        await client.put(f"{management}/api/permissions/{vhost}/{URL(url).user}", json=rights)
        yield str(URL(url).with_path(f"/{vhost}"))
        await client.delete(f"{management}/api/vhosts/{vhost}")


async def purge(url: str) -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        for name in (DEAD, *(route.queue for route in Route)):
            channel = await connection.channel()
            try:
                queue = await channel.get_queue(name)
                await queue.purge()
            except aio_pika.exceptions.ChannelNotFoundEntity:
                continue  # no broker was ever opened here


@pytest.fixture
async def memory_broker() -> AsyncGenerator[MemoryBroker]:
    broker = MemoryBroker()
    yield broker
    await broker.close()


@pytest.fixture
async def rabbit_broker(rabbit_url: str) -> AsyncGenerator[RabbitBroker]:
    broker = await RabbitBroker.connect(rabbit_url)
    yield broker
    await broker.close()


@pytest.fixture(params=["memory", pytest.param("rabbit", marks=pytest.mark.services)])
def broker(request: pytest.FixtureRequest) -> Broker:
    return request.getfixturevalue(f"{request.param}_broker")


@pytest.fixture
async def broker_client(broker: Broker, request: pytest.FixtureRequest) -> AsyncGenerator[BrokerClient]:
    if isinstance(broker, MemoryBroker):
        async with memory_broker_client(broker) as broker_client:
            yield broker_client
    else:
        async with rabbit_broker_client(request.getfixturevalue("rabbit_url")) as broker_client:
            yield broker_client


@pytest.fixture(scope="module")
async def own_node() -> AsyncGenerator[RabbitNode]:
    async with prepared_node() as node:
        yield node


@pytest.fixture
async def node(own_node: RabbitNode) -> RabbitNode:
    """A running node with empty queues, that the test may kill."""
    await own_node.start()
    await purge(own_node.url)
    return own_node
