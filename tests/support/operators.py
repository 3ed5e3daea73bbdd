"""Operators: accounts marked `admin` that are logged in to the API."""

import os
import pwd
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

from tests.support.client import PASSWORD, Client
from tests.support.site import Site

SHELL_USER = f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
"""Who runs the commands of tests, as the audit log names them."""


@asynccontextmanager
async def operator_of(site: Site) -> AsyncGenerator[Client]:
    """Make an operator by the command, and log in."""
    async with Client(site) as client:
        client.username = f"operator-{uuid4().hex[:8]}"
        await site.run("create-admin", "--username", client.username, "--password", PASSWORD)
        await client.login()
        yield client
