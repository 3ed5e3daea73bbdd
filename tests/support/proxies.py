"""Reverse proxies in front of a site: nginx, Caddy and Traefik as processes of the test."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from infra.local import tools
from tests.support.waiting import until


@asynccontextmanager
async def running_nginx(blocks: str, folder: Path, url: str) -> AsyncGenerator[str]:
    """Run nginx with these blocks of its `http` until it answers at `url`; give that."""
    program = tools.NGINX.find()
    assert program, tools.NGINX.advice
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off;\n{temporary}{blocks}}}\n"
    )
    command = (program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log")
    async with running(command, folder, url):
        yield url


@asynccontextmanager
async def running_caddy(caddyfile: str, folder: Path, url: str) -> AsyncGenerator[str]:
    """Run Caddy until it answers at `url`; give that."""
    (folder / "Caddyfile").write_text(f"{{\nadmin off\nauto_https off\npersist_config off\n}}\n{caddyfile}")
    command = (beside("caddy"), "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile")
    async with running(command, folder, url):
        yield url


@asynccontextmanager
async def running_traefik(dynamic: str, folder: Path, url: str) -> AsyncGenerator[str]:
    """Run Traefik with this dynamic configuration until it answers at `url`; give that."""
    (folder / "dynamic.yaml").write_text(dynamic)
    command = (
        beside("traefik"),
        f"--entrypoints.web.address={url.removeprefix('http://')}",
        f"--providers.file.filename={folder}/dynamic.yaml",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    )
    async with running(command, folder, url):
        yield url


def beside(name: str) -> Path:
    """A program of the development tools."""
    return Path(sys.executable).with_name(name)


@asynccontextmanager
async def running(command: Sequence[str | Path], folder: Path, url: str) -> AsyncGenerator[None]:
    """Run a program until it answers HTTP at `url`, for the time of the block."""
    with (folder / "proxy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *map(str, command), cwd=folder, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)}
        )
    try:
        await until(lambda: _answers(url, process))
        yield
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str, process: asyncio.subprocess.Process) -> bool:
    assert process.returncode is None, "the proxy has ended: see proxy.log"
    try:
        host = {"Host": "images.example.org"}
        async with aiohttp.ClientSession(headers=host) as session, session.get(url) as answer:
            return await answer.text() != "404 page not found\n"  # Traefik without its routes yet
    except aiohttp.ClientConnectionError:
        return False
