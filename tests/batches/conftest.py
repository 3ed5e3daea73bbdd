"""A site that may fetch from one server."""

from collections.abc import AsyncIterator

import pytest

from tests.support.client import Client
from tests.support.fetching_site import FetchingSite, open_fetching_site
from tests.support.shared_sites import BOTH, signed_in

SETTINGS = {"MAX_ATTEMPTS": "3", "CSV_MAX_BYTES": "2000000", "CSV_MAX_ROWS": "400", "CSV_MAX_URLS": "2"}


@pytest.fixture(scope="session", params=BOTH)
async def fetching_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FetchingSite]:
    """A site beside a server that it may fetch from."""
    directory = tmp_path_factory.mktemp(f"batches-{request.param}")
    async with open_fetching_site(request.param, directory, **SETTINGS) as running:
        yield running


@pytest.fixture
async def client(fetching_site: FetchingSite) -> AsyncIterator[Client]:
    """A new account on that site."""
    async with signed_in(fetching_site.site) as client:
        yield client
