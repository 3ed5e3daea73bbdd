"""Fixtures: running sites, most of them shared by many tests, and clients with accounts on them."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.support.accounts import add_account
from tests.support.client import Client
from tests.support.fetching_site import FetchingSite, open_fetching_site
from tests.support.site import Kind, Site, running_site

BOTH = ["embedded", pytest.param("services", marks=pytest.mark.services)]
SMALL_FETCHES = {"FETCH_TIMEOUT_S": "2", "FETCH_MAX_BYTES": "1000000", "MAX_ATTEMPTS": "3"}
LOW_LIMITS = {
    "WORKER_CONCURRENCY": "1",
    "MAX_OPERATIONS": "3",
    "MAX_UPLOAD_BYTES": "2000000",
    "QUOTA_BYTES": "3000000",
    "QUOTA_JOBS": "6",
}

NewSite = Callable[..., Awaitable[Site]]


@asynccontextmanager
async def signed_in(site: Site) -> AsyncGenerator[Client]:
    """Open a client with a new account."""
    async with Client(site) as client:
        await add_account(client)
        await client.login()
        yield client


@pytest.fixture(scope="session", params=BOTH)
async def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """A shared site with ordinary settings: use accounts of your own."""
    async with running_site(request.param, tmp_path_factory.mktemp(f"site-{request.param}")) as running:
        yield running


@pytest.fixture(params=BOTH)
async def new_site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewSite]:
    """Start a site for this test alone, with the settings it needs."""
    kind: Kind = request.param
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> Site:
            return await stack.enter_async_context(running_site(kind, tmp_path / "site", **settings))

        yield start


@pytest.fixture
async def client(site: Site) -> AsyncGenerator[Client]:
    """A new account on the shared site."""
    async with signed_in(site) as client:
        yield client


@pytest.fixture
async def other_client(site: Site) -> AsyncIterator[Client]:
    """Another new account on the shared site."""
    async with signed_in(site) as client:
        yield client


@pytest.fixture(scope="session")
async def shared_client(site: Site) -> AsyncIterator[Client]:
    """One account for all tests that do not mind what else it has."""
    async with signed_in(site) as client:
        yield client


@pytest.fixture(scope="session", params=BOTH)
async def limited_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """A shared site with low limits, whose worker does one job at a time."""
    directory = tmp_path_factory.mktemp(f"limited-{request.param}")
    async with running_site(request.param, directory, **LOW_LIMITS) as running:
        yield running


@pytest.fixture
async def limited_client(limited_site: Site) -> AsyncIterator[Client]:
    """A new account on the site with low limits."""
    async with signed_in(limited_site) as client:
        yield client


@pytest.fixture(scope="session", params=BOTH)
async def fetching_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FetchingSite]:
    """A shared site that may fetch from one server; it gives up large files and slow ones early."""
    directory = tmp_path_factory.mktemp(f"fetching-{request.param}")
    async with open_fetching_site(request.param, directory, **SMALL_FETCHES) as running:
        yield running


@pytest.fixture
async def fetching_client(fetching_site: FetchingSite) -> AsyncIterator[Client]:
    """A new account on the site that may fetch."""
    async with signed_in(fetching_site.site) as client:
        yield client
