"""Databases that are up to date already: copies of one of each kind that `darkroom migrate` made."""

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from tests.support.services import own_database, service_url, url_of

ROOT = Path(__file__).parents[2]
_file: bytes | None = None
LOCK = 0x74656D706C617465  # "template": one maker at a time


async def copy_migrated_file(target: Path) -> None:
    """Make the SQLite database that `darkroom migrate` leaves, at a path where there is none."""
    global _file
    if _file is None:
        with TemporaryDirectory() as data:
            made = Path(data) / "made.sqlite"
            await _migrate(f"sqlite:///{made}")
            _file = made.read_bytes()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_file)


@asynccontextmanager
async def migrated_database() -> AsyncGenerator[str]:
    """The URL of a database of one's own, as `darkroom migrate` leaves a new one."""
    async with own_database(template=await _template()) as url:
        yield url


async def _template() -> str:
    """The database to copy. Whoever comes first makes it; it stays for the next run."""
    name = _name()
    connection = cast("Any", await asyncpg.connect(service_url("DATABASE")))
    try:
        await connection.execute(f"select pg_advisory_lock({LOCK})")
        if not await connection.fetchval("select count(*) from pg_database where datname = $1", name):
            unfinished = f"{name}_unfinished"
            await connection.execute(f'drop database if exists "{unfinished}"')
            await connection.execute(f'create database "{unfinished}"')
            await _migrate(url_of(unfinished))
            await connection.execute(f'alter database "{unfinished}" rename to "{name}"')
    finally:
        await connection.close()
    return name


@cache
def _name() -> str:
    """Another one for other migrations, those of our packages included."""
    files = [
        ROOT / "requirements/main.txt",
        *sorted((ROOT / "libs/storage/database/migrations").glob("*.py")),
    ]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files))
    return f"darkroom_migrated_{digest.hexdigest()[:16]}"


async def _migrate(url: str) -> None:
    with TemporaryDirectory() as data:
        needed = {"DATABASE_URL": url, "DATA_DIR": data, "SECRET_KEY": "x" * 32}
        own = {f"DARKROOM_{name}": value for name, value in needed.items()}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
        command = (sys.executable, "-m", "apps.cli", "migrate")
        process = await asyncio.create_subprocess_exec(*command, env=inherited | own, cwd=ROOT)
        assert await process.wait() == 0
