"""Messages that RabbitMQ takes and a client cannot decode."""

import asyncio
import struct
from collections.abc import Callable
from datetime import UTC, datetime

import aio_pika
import pamqp.frame
import pytest
from aio_pika.abc import HeadersType
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from libs.broker.malformed_properties import MALFORMED_HEADER
from libs.broker.rabbit import RabbitBroker
from libs.contracts.topology import JOBS, Route
from tests.broker.recording_handler import RecordingHandler
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.services

MARK = "AAAAAAAA"  # what these bytes of a message are replaced on the way out
MARKED_TIME = datetime(2001, 2, 3, tzinfo=UTC)


def nested_tables(levels: int) -> bytes:
    """Encode tables that contain each other, as RabbitMQ takes them and Python cannot decode them."""
    table = b""
    for _ in range(levels):
        table = b"\x01aF" + struct.pack(">I", len(table)) + table
    return table


DEEP = nested_tables(2000)
FLAT = "B" * len(DEEP)  # stands for it until it is on the way out
Marshal = Callable[[Frame | ContentHeader | ContentBody, int], bytes]


def broken(marshal: Marshal) -> Marshal:
    time = struct.pack(">Q", int(MARKED_TIME.timestamp()))

    def write(frame: Frame | ContentHeader | ContentBody, channel: int) -> bytes:
        written = marshal(frame, channel)
        length = struct.pack(">I", len(DEEP))
        written = written.replace(b"S" + length + FLAT.encode(), b"F" + length + DEEP)
        return written.replace(MARK.encode(), b"\xff" * len(MARK)).replace(time, b"\x7f" + b"\xff" * 7)

    return write


async def send(url: str, message: aio_pika.Message, patch: pytest.MonkeyPatch) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        jobs = await channel.get_exchange(JOBS, ensure=False)
        with patch.context() as patched:
            patched.setattr(pamqp.frame, "marshal", broken(pamqp.frame.marshal))
            await jobs.publish(message, Route.EDIT.value)


@pytest.mark.parametrize(
    ("headers", "message_id", "timestamp"),
    [
        ({MARK: 1}, None, None),
        (None, MARK, None),
        (None, None, MARKED_TIME),
        ({"when": MARKED_TIME}, None, None),
        ({"deep": FLAT}, None, None),
    ],
    ids=["name", "message_id", "timestamp", "time", "nested"],
)
async def test_they_arrive_without_their_properties(
    rabbit_url: str,
    rabbit_broker: RabbitBroker,
    monkeypatch: pytest.MonkeyPatch,
    headers: HeadersType | None,
    message_id: str | None,
    timestamp: datetime | None,
) -> None:
    handler = RecordingHandler()
    async with rabbit_broker.consume(Route.EDIT, handler, concurrency=1), asyncio.timeout(WAIT_S):
        message = aio_pika.Message(b"{}", headers=headers, message_id=message_id, timestamp=timestamp)
        await send(rabbit_url, message, monkeypatch)
        message = await handler.next()
    assert (message.body, list(message.headers), message.redelivered) == (b"{}", [MALFORMED_HEADER], False)
