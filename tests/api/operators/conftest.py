"""An operator of the shared site."""

from collections.abc import AsyncIterator

import pytest

from tests.support.client import Client
from tests.support.operators import operator_of
from tests.support.site import Site


@pytest.fixture(scope="session")
async def operator(site: Site) -> AsyncIterator[Client]:
    async with operator_of(site) as client:
        yield client
