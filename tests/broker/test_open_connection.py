"""Opening a connection that does not come up."""

import gc

import pytest
from aio_pika.connection import Connection
from aio_pika.exceptions import AMQPConnectionError, ProbableAuthenticationError
from yarl import URL

from libs.broker.rabbit_connection import open_connection
from tests.support.ports import free_port


def open_ones() -> set[int]:
    return {id(one) for one in gc.get_objects() if type(one) is Connection and not one.is_closed}


async def test_a_refused_connection_is_closed() -> None:
    before = open_ones()
    with pytest.raises(AMQPConnectionError) as refused:
        await open_connection(f"amqp://guest:guest@127.0.0.1:{free_port()}/")
    assert refused.traceback  # it holds whatever was left open
    assert open_ones() <= before


@pytest.mark.services
async def test_a_connection_that_the_broker_refuses_is_closed(rabbit_url: str) -> None:
    before = open_ones()
    with pytest.raises(ProbableAuthenticationError) as refused:
        await open_connection(str(URL(rabbit_url).with_password("wrong")))
    assert refused.traceback
    assert open_ones() <= before
