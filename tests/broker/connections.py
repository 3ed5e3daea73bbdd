"""Brokers and channels that a test opens itself."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel

from libs.broker.errors import BrokerUnavailable
from libs.broker.port import Broker
from libs.broker.rabbit import RabbitBroker
from libs.contracts.topology import Route
from tests.support.waiting import WAIT_S


@asynccontextmanager
async def raw_channel(url: str) -> AsyncGenerator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        yield channel


@asynccontextmanager
async def connected_broker(
    url: str, *, timeout_s: float = 5, heartbeat_s: int = 5
) -> AsyncGenerator[RabbitBroker]:
    broker = await RabbitBroker.connect(url, heartbeat_s=heartbeat_s, timeout_s=timeout_s, reconnect_s=0.1)
    try:
        yield broker
    finally:
        await broker.close()


async def publish_when_possible(broker: Broker, route: Route, body: bytes) -> None:
    """Publish as soon as it is possible."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                return await broker.publish(route, body, message_id=body.decode())
            except BrokerUnavailable:
                await asyncio.sleep(0.1)
