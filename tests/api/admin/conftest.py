"""Accounts of operators, and their sessions on the admin pages."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.support.admin_client import AdminClient, open_admin_client
from tests.support.client import PASSWORD
from tests.support.site import Site


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[AdminClient]:
    """Somebody who has opened the pages."""
    async with open_admin_client(site) as one:
        yield one


@pytest.fixture(scope="session")
async def operator(site: Site) -> str:
    """The name of an account made by the command."""
    name = f"admin-{uuid4().hex[:8]}"
    await site.run("create-admin", "--username", name, "--password", PASSWORD)
    return name


@pytest.fixture
async def admin(browser: AdminClient, operator: str) -> AdminClient:
    """An operator who has logged in."""
    assert await browser.log_in(operator) == 200
    return browser
