"""Backends with a worker at work, and a desk before their door."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from libs.storage.database.tables import BaseUser
from tests.conftest import BOTH
from tests.orders.producer import BROKER_USER, Desk, desk_of
from tests.storage.rows import an_owner
from tests.support.migrated import migrated_database
from tests.support.services import own_bucket, own_vhost
from tests.worker.conftest import large_photo
from tests.worker.inside import NewBackends, opened_backends, working

__all__ = ["large_photo"]


@pytest.fixture(params=BOTH)
async def new_backends(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewBackends]:
    """Opens backends of each kind with the settings a test needs; the test's own user is trusted."""
    async with AsyncExitStack() as stack:

        async def start(**settings: str):  # noqa: ANN202 - a NewBackends
            settings = {"AMQP_TRUSTED_USERS": f"somebody, {BROKER_USER}", **settings}
            if request.param == "services":
                settings = {
                    "DATABASE_URL": await stack.enter_async_context(migrated_database()),
                    "BROKER_URL": await stack.enter_async_context(own_vhost()),
                    "OBJECTS_URL": own_bucket(),
                    **settings,
                }
            return await stack.enter_async_context(opened_backends(tmp_path, **settings))

        yield start


@pytest.fixture
async def desk(new_backends: NewBackends) -> AsyncIterator[Desk]:
    """A desk whose sender is trusted; a worker works."""
    backends = await new_backends()
    async with desk_of(backends) as desk, working(backends):
        yield desk


@pytest.fixture
async def owner(desk: Desk) -> BaseUser:
    """An account of the desk's installation."""
    return await an_owner()
