"""Accounts that exist already, for tests that are not about registering: the usual password hash is slow."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

import pytest
from piccolo.apps.user.tables import BaseUser

from libs.settings import load_settings
from libs.storage import accounts
from libs.storage.database import piccolo_conf
from libs.storage.database.connection import bind, open_database
from tests.support.client import PASSWORD, Client

quick_hash = partial(BaseUser.hash_password, iterations=1)


async def add_account(client: Client) -> None:
    """Register the client's account in the database of its site, with a hash that is quick to check."""
    settings = load_settings(client.site.environment)
    with tables_bound_as_before(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseUser, "hash_password", quick_hash)
        async with open_database(settings.database_url):
            await accounts.register(client.username, client.email, PASSWORD)


@contextmanager
def tables_bound_as_before() -> Generator[None]:
    """Bind the tables to their present database again at the end."""
    before = piccolo_conf.DB
    try:
        yield
    finally:
        if before is not None:
            bind(before)
