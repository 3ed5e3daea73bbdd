"""Accounts that exist already, for tests that are not about registering: the usual password hash is slow."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from uuid import uuid4
from weakref import WeakKeyDictionary

import pytest
from msgspec import Struct
from piccolo.apps.user.tables import BaseUser

from libs.settings import load_settings
from libs.storage import accounts
from libs.storage.database import piccolo_conf
from libs.storage.database.connection import bind, open_database
from tests.support.client import PASSWORD, Client
from tests.support.site import Site

MOST_AT_ONCE = 32

quick_hash = partial(BaseUser.hash_password, iterations=1)


class Spare(Struct):
    """Registered accounts of a site that no client has yet."""

    usernames: list[str] = []
    next_count: int = 1


_spare: WeakKeyDictionary[Site, Spare] = WeakKeyDictionary()


async def add_account(client: Client) -> None:
    """Give the client a registered account of its site, whose password hash is quick to check.

    A site that needs many gets more of them at a time: opening its database costs more than an account.
    """
    spare = _spare.setdefault(client.site, Spare())
    if not spare.usernames:
        registered = _registered(client.site, spare.next_count)
        # A loop of its own: opening a database blocks its loop, and this one may run a proxy before it.
        spare.usernames = await asyncio.to_thread(asyncio.run, registered)
        spare.next_count = min(2 * spare.next_count, MOST_AT_ONCE)
    client.username = spare.usernames.pop()


async def _registered(site: Site, count: int) -> list[str]:
    usernames = [f"user-{uuid4().hex[:12]}" for _ in range(count)]
    url = load_settings(site.environment).database_url
    with _tables_bound_as_before(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseUser, "hash_password", quick_hash)
        async with open_database(url):
            for username in usernames:
                await accounts.register(username, f"{username}@example.org", PASSWORD)
    return usernames


@contextmanager
def _tables_bound_as_before() -> Generator[None]:
    """Bind the tables to their present database again at the end."""
    before = piccolo_conf.DB
    try:
        yield
    finally:
        if before is not None:
            bind(before)
