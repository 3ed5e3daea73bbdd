"""Fixtures: sites whose OpenAI server is a stand-in."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct

from libs.backends import Backends
from tests.edits.openai_server import MODEL, OpenAIServer
from tests.support.backends import NewBackends
from tests.support.client import Client
from tests.support.shared_sites import BOTH, signed_in
from tests.support.site import Kind, Site, running_site


class EditSite(Struct, frozen=True):
    """A site, the OpenAI server that it calls, and a client with an account."""

    site: Site
    openai: OpenAIServer
    client: Client


class EditBackends(Struct, frozen=True):
    """Backends inside the test's process, and their vendor."""

    backends: Backends
    openai: OpenAIServer


ON_ONE_EDIT_SITE = pytest.mark.parametrize("new_edit_site", ["embedded"], indirect=True)
"""For tests of which no database, store or broker decides the outcome."""

NewEditBackends = Callable[..., Awaitable[EditBackends]]
NewEditSite = Callable[..., Awaitable[EditSite]]


@asynccontextmanager
async def open_edit_site(
    kind: Kind, directory: Path, *, model: str = MODEL, **settings: str
) -> AsyncGenerator[EditSite]:
    async with (
        OpenAIServer.open(model) as openai,
        running_site(kind, directory, **{**openai.settings, **settings}) as site,
        signed_in(site) as client,
    ):
        yield EditSite(site, openai, client)


@pytest.fixture(scope="session", params=BOTH)
async def shared_edit_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[EditSite]:
    directory = tmp_path_factory.mktemp(f"edit-site-{request.param}")
    async with open_edit_site(
        request.param, directory, OPENAI_MAX_EDGE="256", EDITS_PER_DAY="1000"
    ) as edit_site:
        yield edit_site


@pytest.fixture
def edit_site(shared_edit_site: EditSite) -> Iterator[EditSite]:
    """A shared site and account with ordinary settings; the vendor has seen no call yet."""
    shared_edit_site.openai.forget()
    yield shared_edit_site
    assert shared_edit_site.openai.responders == []


@pytest.fixture
async def new_edit_client(edit_site: EditSite) -> AsyncIterator[EditSite]:
    """As `edit_site`, with an account of one's own."""
    async with signed_in(edit_site.site) as client:
        yield EditSite(edit_site.site, edit_site.openai, client)


@pytest.fixture(params=BOTH)
async def new_edit_site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewEditSite]:
    """Starts a site for this test alone, with the settings it needs."""
    kind: Kind = request.param
    async with AsyncExitStack() as stack:

        async def start(*, model: str = MODEL, **settings: str) -> EditSite:
            opened = open_edit_site(kind, tmp_path / "site", model=model, **settings)
            return await stack.enter_async_context(opened)

        yield start


@pytest.fixture
async def new_edit_backends(new_backends: NewBackends) -> AsyncIterator[NewEditBackends]:
    """Open backends in the test's own process, with the settings it needs."""
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> EditBackends:
            openai = await stack.enter_async_context(OpenAIServer.open())
            return EditBackends(await new_backends(**openai.settings, **settings), openai)

        yield start
