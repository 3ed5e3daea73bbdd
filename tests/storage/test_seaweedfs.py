"""The store that `make up` starts, SeaweedFS, with the users and the set-up of docker-compose.yml."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
import yaml
from yarl import URL

from infra import make_secrets
from libs.storage.objects import ObjectNotFound, ObjectStore, open_objects
from tests.support.ports import free_port
from tests.support.waiting import WAIT_S, until

ROOT = Path(__file__).parents[2]
WEED = Path(sys.executable).with_name("weed")


def command(folder: Path, ports: dict[str, int], grpc: dict[str, int]) -> list[str]:
    """The command of docker-compose.yml, with folders and ports of the test's own."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    written: list[str] = compose["services"]["store"]["command"]
    changes = {
        "-dir=/data": f"-dir={folder}/data",
        "-ip=store": "-ip=127.0.0.1",
        "-ip.bind=0.0.0.0": "-ip.bind=127.0.0.1",
        "-s3.port=8333": f"-s3.port={ports['s3']}",
        "-s3.config=/etc/seaweedfs/s3.json": f"-s3.config={folder}/.secrets/s3.json",
        "-master.volumeSizeLimitMB=1024": "-master.volumeSizeLimitMB=8",
        "-s3.allowedOrigins=${DARKROOM_CORS_ORIGINS:-*}": "-s3.allowedOrigins=*",
    }
    assert set(changes) <= set(written)
    own = [f"-{name}.port={port}" for name, port in ports.items() if name != "s3"]
    own += [f"-{name}.port.grpc={port}" for name, port in grpc.items()]
    own += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    return [changes.get(word, word) for word in written] + own


@asynccontextmanager
async def running_store(folder: Path) -> AsyncGenerator[str]:
    """Run SeaweedFS, with its bucket; give the URL for Darkroom."""
    make_secrets.write(folder)
    (user,) = json.loads((folder / ".secrets/s3.json").read_text())["identities"]
    (folder / "data").mkdir()
    ports, grpc = ({name: free_port() for name in ("s3", "master", "volume", "filer")} for _ in range(2))
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            WEED, *command(folder, ports, grpc), cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        await until(lambda: healthy(f"http://127.0.0.1:{ports['s3']}/healthz", process))
        at = {name: f"127.0.0.1:{ports[name]}.{grpc[name]}" for name in ("master", "filer")}
        own = {"MASTER": at["master"], "FILER": at["filer"], "PATH": f"{WEED.parent}:{os.environ['PATH']}"}
        for _ in range(2):
            setup = await asyncio.create_subprocess_exec(
                "sh", ROOT / "infra/seaweedfs/setup.sh", env={**os.environ, **own}
            )
            assert await asyncio.wait_for(setup.wait(), WAIT_S) == 0
        (key,) = user["credentials"]
        server = f"127.0.0.1:{ports['s3']}"
        options = f"secure=false&public_url=http://{server}"
        yield f"s3://{key['accessKey']}:{key['secretKey']}@{server}/darkroom?{options}"
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def healthy(url: str, process: asyncio.subprocess.Process) -> bool:
    assert process.returncode is None
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def put(store: ObjectStore, scratch: Path, key: str, data: bytes) -> None:
    path = scratch / "file"
    path.write_bytes(data)
    await store.put(key, path, content_type="image/jpeg", metadata={"owner": "ada"})


@pytest.mark.services
async def test_the_store_of_compose_keeps_lists_signs_and_deletes_objects(tmp_path: Path) -> None:
    large = os.urandom(12_000_000)  # in several parts
    async with running_store(tmp_path) as url:
        store = open_objects(url, tmp_path)
        try:
            files = {"ada/originals/ä b%.jpg": b"one", ".direct-uploads/1": b"2", "large": large}
            for key, data in files.items():
                await put(store, tmp_path, key, data)
            assert {stored.key async for stored in store.scan("")} == set(files)
            async with store.read("large", start=11_999_990) as chunks:
                assert b"".join([chunk async for chunk in chunks]) == large[-10:]
            link = await store.link("large", expires_s=60, content_type="image/png", disposition="attachment")
            signed = await store.signed_put(
                "small", size_bytes=3, md5=None, content_type="image/png", expires_s=60
            )
            assert link is not None
            assert signed is not None
            async with aiohttp.ClientSession() as http:
                async with http.get(URL(link, encoded=True)) as found:
                    assert (found.status, await found.read()) == (200, large)
                async with http.get(URL(link.replace("/large?", "/small?"), encoded=True)) as refused:
                    assert refused.status == 403
                at, headers = URL(signed.url, encoded=True), dict(signed.headers)
                async with http.put(at, data=b"four", headers=headers) as refused:
                    assert refused.status == 403
                async with http.put(at, data=b"123", headers=headers) as taken:
                    assert taken.status == 200
            await store.delete(["large"])
            with pytest.raises(ObjectNotFound):
                async with store.read("large"):
                    pass
        finally:
            await store.close()
