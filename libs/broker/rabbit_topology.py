"""Declaration of RabbitMQ's exchanges and queues."""

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelClosed
from aiormq.exceptions import ChannelAccessRefused

from libs.contracts.topology import DEAD, DEAD_ARGUMENTS, EVENTS, JOBS, QUEUE_ARGUMENTS, Route

_log = structlog.get_logger(__name__)


async def declare_topology(connection: AbstractConnection) -> None:
    """Declare the exchanges and queues that are missing; safe to repeat.

    What exists with other arguments is left as it is. A user without the permission to declare relies on what
    others have declared.
    """
    exchanges = {JOBS: ExchangeType.DIRECT, EVENTS: ExchangeType.TOPIC, DEAD: ExchangeType.FANOUT}
    for name, kind in exchanges.items():
        try:
            async with connection.channel() as channel:
                await channel.declare_exchange(name, kind, durable=True)
        except ChannelAccessRefused:
            _log.info("declaration_skipped", reason="the broker user has no permission to declare")
            return
        except ChannelClosed as error:
            _log.warning("declaration_failed", exchange=name, error=str(error))
    await _declare_queue(connection, DEAD, DEAD_ARGUMENTS, exchange=DEAD, key="")
    for route in Route:
        await _declare_queue(connection, route.queue, QUEUE_ARGUMENTS, exchange=JOBS, key=route.value)


async def _declare_queue(
    connection: AbstractConnection, name: str, arguments: dict[str, str | int], *, exchange: str, key: str
) -> None:
    try:
        async with connection.channel() as channel:
            queue = await channel.declare_queue(name, durable=True, arguments=dict(arguments))
            await queue.bind(exchange, key)
    except ChannelClosed as error:
        _log.warning("declaration_failed", queue=name, error=str(error))
