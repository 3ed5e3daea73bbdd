"""A rolling restart under load: two API processes behind nginx, worker and scheduler, each by SIGTERM."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from tests.support.client import DONE, Client
from tests.support.ports import free_port
from tests.support.proxies import running_nginx
from tests.support.shared_sites import signed_in
from tests.support.site import Site, is_ready, running_site
from tests.support.waiting import until

pytestmark = pytest.mark.services

CLIENTS = 4
OPERATIONS = [{"op": "resize", "width": 80}]


class Load:
    """Clients that upload with operations, wait for the result and download it, without a pause."""

    def __init__(self) -> None:
        self.rounds = 0
        self.ended: dict[str, str] = {}
        self.refused: list[str] = []

    async def run(self, client: Client, photo: Path) -> None:
        while True:
            try:
                await self._round(client, photo)
            except (aiohttp.ClientError, KeyError) as error:
                self.refused.append(repr(error))

    async def _round(self, client: Client, photo: Path) -> None:
        uploaded = await client.upload(photo, OPERATIONS, wait_s=30)
        self._note("upload", uploaded.status, (201, 202))
        at = f"/api/jobs/{uploaded.json['job_id']}"
        while (job := await client.get(at)).status == 200 and job.json["status"] not in DONE:
            await asyncio.sleep(0.05)
        self._note(f"job {job.body!r}", job.status, (200,))
        self.ended[at] = job.json["status"]
        download = await client.get(f"/api/images/{job.json['result_id']}/download")
        self._note(f"download {download.body[:200]!r}", download.status, (200,))
        self.rounds += 1

    def _note(self, what: str, status: int, allowed: tuple[int, ...]) -> None:
        if status not in allowed:
            self.refused.append(f"{what}: {status}")

    async def passed(self, rounds: int) -> None:
        """Wait for so many more rounds."""
        goal = self.rounds + rounds

        async def done() -> bool:
            return self.rounds >= goal

        await until(done)


@asynccontextmanager
async def loaded(url: str, token: str, photo: Path, load: Load) -> AsyncGenerator[None]:
    """Keep clients of one account busy for the time of the block."""
    behind = cast("Site", SimpleNamespace(url=url))
    clients = [Client(behind) for _ in range(CLIENTS)]
    tasks: list[asyncio.Task[Any]] = []
    for client in clients:
        client.token = token
        tasks.append(asyncio.create_task(load.run(client, photo)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in clients:
            await client.session.close()


async def start_api(site: Site, name: str, port: int) -> None:
    site.settings["api.PORT"] = str(port)
    await site.start("api", called=name)
    async with aiohttp.ClientSession() as http:
        await until(partial(is_ready, http, f"http://127.0.0.1:{port}"))


async def test_a_rolling_restart_under_load_loses_no_request_and_no_job(photo: Path, tmp_path: Path) -> None:
    async with running_site("services", tmp_path / "site", DRAIN_S="20") as site, signed_in(site) as client:
        ports = {"api": site.port, "api-2": free_port()}
        await start_api(site, "api-2", ports["api-2"])
        servers = "".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports.values())
        at = free_port()
        proxy = (
            f"upstream api {{ {servers} }}\nserver {{ listen 127.0.0.1:{at}; client_max_body_size 70m;"
            " location / { proxy_pass http://api; } }\n"
        )
        load = Load()
        async with (
            running_nginx(proxy, tmp_path, f"http://127.0.0.1:{at}") as url,
            loaded(url, client.token or "", photo, load),
        ):
            await load.passed(CLIENTS)
            for name, port in ports.items():
                await site.stop(name)
                await load.passed(1)
                await start_api(site, name, port)
            for name in ("worker", "scheduler"):
                await site.stop(name)
                await site.start(name)
            await load.passed(CLIENTS)
        assert load.refused == []
        assert set(load.ended.values()) == {"completed"}
        for name in ("api", "api-2", "worker"):
            assert '"stop_forced"' not in site.log_of(name).read_text()
