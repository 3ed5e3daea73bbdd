"""Fixtures: running sites, most of them shared by many tests, and clients with accounts on them."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct

from tests.support.accounts import add_account
from tests.support.client import Client
from tests.support.photo_server import INSIDE, OUTSIDE, PhotoServer, serving
from tests.support.site import Kind, Site, running_site
from tests.support.webhook_receiver import Receiver, receiving, webhook_settings

BOTH = ["embedded", pytest.param("services", marks=pytest.mark.services)]
SMALL_FETCHES = {"FETCH_TIMEOUT_S": "6", "FETCH_MAX_BYTES": "1000000", "MAX_ATTEMPTS": "3"}
SMALL_BATCHES = {"CSV_MAX_BYTES": "2000000", "CSV_MAX_ROWS": "400", "CSV_MAX_URLS": "2"}
LOW_LIMITS = {
    "WORKER_CONCURRENCY": "1",
    "MAX_OPERATIONS": "9",
    "MAX_UPLOAD_BYTES": "2000000",
    "QUOTA_BYTES": "3000000",
    "QUOTA_JOBS": "6",
}

ON_ONE_SITE = pytest.mark.parametrize("shared_site", ["embedded"], indirect=True)
"""For tests of the shared site of which no database, store or broker decides the outcome."""

NewSite = Callable[..., Awaitable[Site]]


@asynccontextmanager
async def signed_in(site: Site) -> AsyncGenerator[Client]:
    """Open a client with a new account."""
    async with Client(site) as client:
        await add_account(client)
        await client.login()
        yield client


class SharedSite(Struct, frozen=True):
    """A site that many tests use, and the servers around it."""

    site: Site
    photo_server: PhotoServer
    private_server: PhotoServer  # the site may not send requests there
    receiver: Receiver


@pytest.fixture(scope="session", params=BOTH)
async def shared_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SharedSite]:
    """A site with ordinary limits: use accounts and paths of your own.

    It may fetch from the photo server, where it gives up large and slow files early, and send webhooks to the
    receiver.
    """
    directory = tmp_path_factory.mktemp(f"site-{request.param}")
    async with serving(OUTSIDE, INSIDE) as (photo_server, private_server), receiving() as receiver:
        ports = {"FETCH_PORTS": f"{photo_server.port},{receiver.port}"}
        settings = webhook_settings(receiver) | SMALL_FETCHES | SMALL_BATCHES | ports
        async with running_site(request.param, directory, **settings) as site:
            yield SharedSite(site, photo_server, private_server, receiver)
        assert not private_server.request_counts


@pytest.fixture(scope="session")
def site(shared_site: SharedSite) -> Site:
    return shared_site.site


@pytest.fixture
def photo_server(shared_site: SharedSite) -> PhotoServer:
    """The server that the shared site may fetch from."""
    return shared_site.photo_server


@pytest.fixture
def receiver(shared_site: SharedSite) -> Receiver:
    """The receiver of the shared site's webhooks."""
    return shared_site.receiver


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
