"""Sites whose vendor is a stand-in."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct

from libs.backends import Backends
from tests.edits.openai_server import MODEL, Vendor
from tests.support.backends import NewBackends
from tests.support.client import Client
from tests.support.shared_sites import BOTH, signed_in
from tests.support.site import Kind, Site, running_site


class Studio(Struct, frozen=True):
    """A site, its vendor, and somebody who uses it."""

    site: Site
    vendor: Vendor
    client: Client


class Workshop(Struct, frozen=True):
    """Backends inside the test's process, and their vendor."""

    backends: Backends
    vendor: Vendor


NewWorkshop = Callable[..., Awaitable[Workshop]]
NewStudio = Callable[..., Awaitable[Studio]]


@asynccontextmanager
async def open_studio(
    kind: Kind, directory: Path, *, model: str = MODEL, **settings: str
) -> AsyncGenerator[Studio]:
    async with (
        Vendor.open(model) as vendor,
        running_site(kind, directory, **{**vendor.settings, **settings}) as site,
        signed_in(site) as client,
    ):
        yield Studio(site, vendor, client)


@pytest.fixture(scope="session", params=BOTH)
async def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Studio]:
    directory = tmp_path_factory.mktemp(f"studio-{request.param}")
    async with open_studio(request.param, directory, OPENAI_MAX_EDGE="256", EDITS_PER_DAY="1000") as studio:
        yield studio


@pytest.fixture
def studio(shared: Studio) -> Iterator[Studio]:
    """A shared site and account with ordinary settings; the vendor has seen no call yet."""
    shared.vendor.forget()
    yield shared
    assert shared.vendor.plays == []


@pytest.fixture
async def newcomer(studio: Studio) -> AsyncIterator[Studio]:
    """As `studio`, with an account of one's own."""
    async with signed_in(studio.site) as client:
        yield Studio(studio.site, studio.vendor, client)


@pytest.fixture(params=BOTH)
async def new_studio(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewStudio]:
    """Starts a site for this test alone, with the settings it needs."""
    kind: Kind = request.param
    async with AsyncExitStack() as stack:

        async def start(*, model: str = MODEL, **settings: str) -> Studio:
            opened = open_studio(kind, tmp_path / "site", model=model, **settings)
            return await stack.enter_async_context(opened)

        yield start


@pytest.fixture
async def new_workshop(new_backends: NewBackends) -> AsyncIterator[NewWorkshop]:
    """Open backends in the test's own process, with the settings it needs."""
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> Workshop:
            vendor = await stack.enter_async_context(Vendor.open())
            return Workshop(await new_backends(**vendor.settings, **settings), vendor)

        yield start
