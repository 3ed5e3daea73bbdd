"""Run a client generator over the descriptions that a site serves."""

import asyncio
import os
import sys
from pathlib import Path

from msgspec import Struct

from tests.support.client import Client
from tests.support.site import Site

BIN = Path(sys.executable).parent


class Generated(Struct, frozen=True):
    """What a generator made and said."""

    directory: Path
    output: str


async def saved_description(site: Site, directory: Path, address: str = "/schema/openapi.json") -> Path:
    """Save a description as clients get it."""
    async with Client(site) as anyone:
        answer = await anyone.get(address)
    assert answer.status == 200
    path = directory / "openapi.json"
    path.write_bytes(answer.body)
    return path


async def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a program to its end, and return what it printed."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == 0, f"{' '.join(map(str, command))}\n{text}"
    return text
