"""Dead letters of the broker inside the process; tests/cli/test_dead_letters.py has those of RabbitMQ."""

from pathlib import Path

import pytest

from libs.broker import BrokerMessage
from libs.broker.memory import MemoryBroker
from libs.contracts.topology import Route
from libs.orders import dead_letters
from libs.orders.errors import DeadLetterNotFound, DeadLetterRefused
from tests.support.backends import opened_backends, working
from tests.support.waiting import until


async def test_a_dead_letter_in_memory_is_held_refused_again_and_deleted(tmp_path: Path) -> None:
    async with opened_backends(tmp_path) as backends, working(backends):
        broker = backends.broker
        assert isinstance(broker, MemoryBroker)
        await broker.send(Route.INGEST, BrokerMessage(body=b"no order", message_id="mine"))

        async def is_dead() -> bool:
            return len(broker.dead) == 1

        await until(is_dead)
        letter_id = ""
        for _ in range(2):
            async with dead_letters.held(backends) as [letter]:
                assert (letter.route, letter.message.body) == (Route.INGEST, b"no order")
                letter_id = letter.id
                assert letter.reason.startswith("bad_message")
                with pytest.raises(DeadLetterRefused):
                    await dead_letters.requeue(letter, backends)
        async with dead_letters.held(backends) as letters:
            await dead_letters.find(letters, letter_id).remove()
        async with dead_letters.held(backends) as letters:
            with pytest.raises(DeadLetterNotFound):
                dead_letters.find(letters, letter_id)
