"""How tests are distributed over processes, and the fixtures that all folders share."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import pytest
from xdist.remote import Producer  # pyright: ignore[reportMissingTypeStubs]

from libs.storage.database.connection import open_database
from libs.storage.database.engine import Engine
from libs.storage.database.migrate import migrate
from tests.support import distribution
from tests.support.migrated_database import migrated_database
from tests.support.services import own_database

pytest_plugins = ["tests.support.pictures", "tests.support.shared_sites", "tests.support.backends"]

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.services)]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=distribution.order_of)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> distribution.ByFileAndKind:
    return distribution.ByFileAndKind(config, log)


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
