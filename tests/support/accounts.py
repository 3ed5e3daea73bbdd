"""Accounts that are there already: whom registering is not about does not pay for its slow hash."""

import sqlite3
from contextlib import closing
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
from piccolo.apps.user.tables import BaseUser

from tests.support.client import PASSWORD, Client
from tests.support.site import Site

HASHED = BaseUser.hash_password(PASSWORD, iterations=1)
ADD = """
insert into piccolo_user (username, email, password, active, admin, superuser)
values ($1, $2, $3, true, false, false)
"""


async def add_account(client: Client) -> None:
    """Store the client's account in its site's database, with a hash that is quick to check."""
    values = (client.username, client.email, HASHED)
    if client.site.kind == "embedded":
        _add_to_sqlite(client.site, values)
    else:
        connection = cast("Any", await asyncpg.connect(client.site.settings["DATABASE_URL"]))
        try:
            await connection.execute(ADD, *values)
        finally:
            await connection.close()


def _add_to_sqlite(site: Site, values: tuple[object, ...]) -> None:
    file = site.directory / "data" / "darkroom.sqlite"
    with closing(sqlite3.connect(file, timeout=30)) as connection, connection:
        connection.execute(ADD, values)
