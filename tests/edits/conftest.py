"""Sites whose vendor is a stand-in."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct

from tests.conftest import BOTH, signed_in
from tests.edits.vendor import MODEL, Vendor
from tests.support.client import Client
from tests.support.site import Kind, Site, running_site


class Studio(Struct, frozen=True):
    """A site, its vendor, and somebody who uses it."""

    site: Site
    vendor: Vendor
    client: Client


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
    async with open_studio(request.param, directory, OPENAI_MAX_EDGE="256") as studio:
        yield studio


@pytest.fixture
async def studio(shared: Studio) -> AsyncIterator[Studio]:
    """A shared site with ordinary settings, and an account of one's own; the vendor has seen no call yet."""
    shared.vendor.calls.clear()
    shared.vendor.begun.clear()
    shared.vendor.may_answer.clear()
    async with signed_in(shared.site) as client:
        yield Studio(shared.site, shared.vendor, client)
    assert shared.vendor.plays == []


@pytest.fixture(params=BOTH)
async def new_studio(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewStudio]:
    """Starts a site for this test alone, with the settings it needs."""
    kind: Kind = request.param
    async with AsyncExitStack() as stack:

        async def start(*, model: str = MODEL, **settings: str) -> Studio:
            opened = open_studio(kind, tmp_path / "site", model=model, **settings)
            return await stack.enter_async_context(opened)

        yield start
