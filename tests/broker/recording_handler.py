import asyncio

from libs.broker.port import BrokerMessage
from tests.support.waiting import WAIT_S


class RecordingHandler:
    """A handler that records its messages."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[BrokerMessage] = asyncio.Queue()

    async def __call__(self, message: BrokerMessage) -> None:
        self._queue.put_nowait(message)

    async def next(self) -> BrokerMessage:
        return await asyncio.wait_for(self._queue.get(), WAIT_S)

    def empty(self) -> bool:
        return self._queue.empty()
