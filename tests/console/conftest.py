"""Fixtures of the console's tests: one site for each file, a page for each test."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.console.support import Console, opened
from tests.support.shared_sites import signed_in
from tests.support.site import Kind, Site, running_site


@pytest.fixture(scope="module")
def console_settings() -> dict[str, str]:
    """The settings of the file's site; a file overrides this fixture for others."""
    return {}


@pytest.fixture(scope="module", params=["embedded"])
async def console_site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    console_settings: dict[str, str],
) -> AsyncIterator[Site]:
    """The site of this file; `indirect` parameters choose its kind."""
    kind: Kind = request.param
    async with running_site(kind, tmp_path_factory.mktemp(f"console-{kind}"), **console_settings) as site:
        yield site


@pytest.fixture
async def console(console_site: Site, chromium: Browser) -> AsyncIterator[Console]:
    """The console as a new account sees it; at the end, the page must not have complained."""
    async with signed_in(console_site) as client, opened(chromium, client) as console:
        yield console
        assert console.complaints == []
