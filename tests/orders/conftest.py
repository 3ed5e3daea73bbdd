"""Fixtures: backends with a running worker, and a producer of orders."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from libs.storage.database.tables import BaseUser
from tests.orders.producer import BROKER_USER, Producer, producer_for
from tests.storage.rows import an_owner
from tests.support.backends import NewBackends, working


@pytest.fixture
def new_backends(new_backends: NewBackends) -> NewBackends:
    """Open backends that trust the test's own broker user."""
    return partial(new_backends, AMQP_TRUSTED_USERS=f"somebody, {BROKER_USER}")


@pytest.fixture
async def producer(new_backends: NewBackends) -> AsyncIterator[Producer]:
    """A trusted producer, and a running worker."""
    backends = await new_backends()
    async with producer_for(backends) as producer, working(backends):
        yield producer


@pytest.fixture
async def owner(producer: Producer) -> BaseUser:
    """An account on the producer's installation."""
    return await an_owner()
