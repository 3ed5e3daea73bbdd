"""How tests are distributed over processes, and the fixtures that all folders share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from xdist.remote import Producer  # pyright: ignore[reportMissingTypeStubs]

from libs.storage.database.connection import open_database
from libs.storage.database.engine import Engine
from tests.support import distribution
from tests.support.migrated_database import copy_migrated_file, migrated_database
from tests.support.services import own_database

pytest_plugins = [
    "tests.support.pictures",
    "tests.support.shared_sites",
    "tests.support.backends",
    "tests.support.counting",
    "tests.support.browser",
]

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
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/test.sqlite"
        return
    async with own_database() as url:
        yield url


@pytest.fixture(params=DATABASES)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """That of `database`."""
    if request.param == "sqlite":
        await copy_migrated_file(tmp_path / "test.sqlite")
        yield f"sqlite:///{tmp_path}/test.sqlite"
        return
    async with migrated_database() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Engine]:
    """A migrated database of each engine, bound to all tables."""
    async with open_database(database_url) as engine:
        yield engine
