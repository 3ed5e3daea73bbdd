"""A database, a virtual host and a bucket of one's own on the services that `make services` starts."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest
from yarl import URL


def service_url(name: str) -> str:
    """The URL of a running service; a test that cannot have it fails, it never skips."""
    url = os.environ.get(f"DARKROOM_TEST_{name}_URL")
    if not url:
        pytest.fail(
            f"DARKROOM_TEST_{name}_URL is not set: run `make test`, or start them with `make services`"
        )
    return url


@asynccontextmanager
async def own_database(*, template: str = "template1") -> AsyncGenerator[str]:
    """The URL of a PostgreSQL database: an empty one, or a copy of `template`."""
    name = f"darkroom_{uuid4().hex}"
    connection = cast("Any", await asyncpg.connect(service_url("DATABASE")))
    try:
        await connection.execute(f'create database "{name}" template "{template}"')
        yield url_of(name)
        await connection.execute(f'drop database "{name}" with (force)')
    finally:
        await connection.close()


def url_of(database: str) -> str:
    """The URL of a database of the tests' server."""
    return urlunsplit(urlsplit(service_url("DATABASE"))._replace(path=f"/{database}"))


@asynccontextmanager
async def own_vhost() -> AsyncGenerator[str]:
    """The URL of an empty RabbitMQ virtual host."""
    url, management = service_url("BROKER"), service_url("RABBITMQ_MANAGEMENT")
    vhost = f"darkroom-{uuid4().hex}"
    async with aiohttp.ClientSession(raise_for_status=True) as client:
        await client.put(f"{management}/api/vhosts/{vhost}")
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        await client.put(f"{management}/api/permissions/{vhost}/{URL(url).user}", json=rights)
        try:
            yield str(URL(url).with_path(f"/{vhost}"))
        finally:
            await client.delete(f"{management}/api/vhosts/{vhost}")


def own_bucket() -> str:
    """The URL of a bucket that nobody has used; made at first use."""
    return urlunsplit(urlsplit(service_url("OBJECTS"))._replace(path=f"/darkroom-{uuid4().hex}"))
