"""`make run`, as a new user types it."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.support.ports import free_port
from tests.support.site import is_ready
from tests.support.waiting import WAIT_S

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("way", ["PORT", "DARKROOM_PORT"])
async def test_make_run_serves_at_the_port_says_where_everything_is_and_ends_with_ctrl_c(
    tmp_path: Path, way: str
) -> None:
    port, data = free_port(), tmp_path / "data"
    url = f"http://127.0.0.1:{port}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    process = await asyncio.create_subprocess_exec(
        "make", "run",
        cwd=ROOT, env=inherited | {"DARKROOM_DATA_DIR": str(data), way: str(port)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as client:
            async with asyncio.timeout(WAIT_S):
                while not await is_ready(client, url):
                    await asyncio.sleep(0.05)
            family = psutil.Process(process.pid).children(recursive=True)
            for place in ("schema", "admin/"):
                async with client.get(f"{url}/{place}") as page:
                    assert page.status == 200
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        said, _ = await process.communicate()
    assert family
    assert not any(one.is_running() for one in family)
    for place in (f"{url}/schema", f"{url}/admin/", str(data)):
        assert place in said.decode()
    assert (data / "darkroom.sqlite").is_file()
