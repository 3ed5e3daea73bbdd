"""Sites that many tests share, the databases, and photographs."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path

import pytest
import skimage
from xdist.remote import Producer  # pyright: ignore[reportMissingTypeStubs]

from libs.storage.database.connection import migrate, open_database
from libs.storage.database.engine import Engine
from tests.support import spreading
from tests.support.accounts import add_account
from tests.support.client import Client
from tests.support.migrated import migrated_database
from tests.support.services import own_database
from tests.support.site import Kind, Site, running_site

PHOTOS = Path(skimage.__file__).parent / "data"

BOTH = ["embedded", pytest.param("services", marks=pytest.mark.services)]
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.services)]

NewSite = Callable[..., Awaitable[Site]]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=spreading.place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> spreading.ByFileAndKind:
    return spreading.ByFileAndKind(config, log)


@pytest.fixture(scope="session")
def photo() -> Path:
    """A photograph: JPEG, 640 x 427."""
    return PHOTOS / "rocket.jpg"


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of photographs."""
    return PHOTOS


@pytest.fixture(scope="session", params=BOTH)
async def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """A site with ordinary settings, shared: use accounts of your own."""
    async with running_site(request.param, tmp_path_factory.mktemp(f"site-{request.param}")) as running:
        yield running


@pytest.fixture(params=BOTH)
async def new_site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewSite]:
    """Starts a site for this test alone, with the settings it needs."""
    kind: Kind = request.param
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> Site:
            return await stack.enter_async_context(running_site(kind, tmp_path / "site", **settings))

        yield start


@asynccontextmanager
async def signed_in(site: Site) -> AsyncGenerator[Client]:
    """A client with a new account."""
    async with Client(site) as client:
        await add_account(client)
        await client.login()
        yield client


@pytest.fixture
async def client(site: Site) -> AsyncGenerator[Client]:
    """A new account on the shared site."""
    async with signed_in(site) as client:
        yield client


@pytest.fixture
async def other(site: Site) -> AsyncIterator[Client]:
    """Another new account on the shared site."""
    async with signed_in(site) as client:
        yield client


@pytest.fixture(params=DATABASES)
async def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database of each engine in which nothing is yet."""
    async with _database_of(request.param, tmp_path, own_database) as url:
        yield url


@pytest.fixture(params=DATABASES)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """That of `database`."""
    async with _database_of(request.param, tmp_path, migrated_database) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Engine]:
    """A migrated database of each engine, bound to all tables."""
    async with open_database(database_url) as engine:
        await migrate(engine)
        yield engine


def _database_of(
    engine: str, directory: Path, postgres: Callable[[], AbstractAsyncContextManager[str]]
) -> AbstractAsyncContextManager[str]:
    return postgres() if engine == "postgres" else nullcontext(f"sqlite:///{directory}/test.sqlite")
