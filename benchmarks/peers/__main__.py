"""Measure Darkroom beside other services, in turns within one run, and print ratios.

Jobs are uploads of 2 megapixels, resized to 800 x 600 by a worker, and downloaded: beside a service on
Django, Celery and Redis. Transformations of stored images, and downloads of their results, run beside ipx.
CPU times are those of the services' own processes; PostgreSQL, RabbitMQ, Redis and the object store are not
counted.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from pathlib import Path
from statistics import median

import aiohttp
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from benchmarks.imaging.source_images import make_sources
from benchmarks.main_job import account, together
from benchmarks.peers import installed, peer_processes
from benchmarks.peers.peer_processes import cpu_of_tree
from tests.support.client import Client
from tests.support.site import Kind, running_site

ROUNDS = int(os.environ.get("ROUNDS", "5"))
JOBS, JOBS_AT_ONCE = 80, 8
AT_ONCE = 4
POLL_S = 0.05
RESIZE = [{"op": "resize", "width": 800, "height": 600, "fit": "fill"}]
JPEG = [{"op": "convert", "format": "jpeg", "quality": 82}]


class Contender(Struct, frozen=True):
    """A service at work: one call of it, and the CPU time of its processes so far."""

    name: str
    call: Callable[[], Awaitable[None]]
    cpu_s: Callable[[], float]


class Rate(Struct, frozen=True):
    """Calls a second, and milliseconds of CPU a call."""

    a_second: float
    cpu_ms: float


class Case(Struct, frozen=True):
    """A transformation, as Darkroom and as ipx spell it."""

    name: str
    file: str
    operations: list[dict[str, object]]
    modifiers: str
    calls: int


CASES = (
    Case(
        "12 MP JPEG to 800 px JPEG",
        "12.jpg",
        [{"op": "resize", "width": 800}, {"op": "convert", "format": "jpeg", "quality": 80}],
        "w_800,f_jpeg,q_80",
        40,
    ),
    Case(
        "2 MP JPEG to 300 px WebP",
        "2.jpg",
        [{"op": "resize", "width": 300}, {"op": "convert", "format": "webp", "quality": 80}],
        "w_300,f_webp,q_80",
        80,
    ),
)


async def compare(contenders: list[Contender], calls: int, at_once: int) -> list[Rate]:
    """Return the median rate of each, measured in turns."""
    found: list[list[Rate]] = [[] for _ in contenders]
    for contender in contenders:
        await together(contender.call, at_once * 2, at_once)
    for _ in range(ROUNDS):
        for rates, contender in zip(found, contenders, strict=True):
            cpu, began = contender.cpu_s(), time.perf_counter()
            await together(contender.call, calls, at_once)
            seconds = time.perf_counter() - began
            rates.append(Rate(calls / seconds, (contender.cpu_s() - cpu) * 1000 / calls))
    return [
        Rate(median(rate.a_second for rate in rates), median(rate.cpu_ms for rate in rates))
        for rates in found
    ]


@asynccontextmanager
async def darkroom(kind: Kind, folder: Path) -> AsyncGenerator[tuple[Client, Callable[[], float]]]:
    """Run a Darkroom; yield a client of it and its CPU time."""
    async with running_site(kind, folder, TICK_S="1") as site, account(site) as client:
        yield client, lambda: sum(cpu_of_tree(process.pid) for process in site.apps.values())


async def darkroom_job(client: Client, photo: bytes) -> None:
    """Upload, wait for the result, download it."""
    answer = await client.upload(photo, RESIZE + JPEG, wait_s=60)
    assert answer.status == 201, answer
    assert (await client.get(f"/api/images/{answer.json['id']}/download")).status == 200


async def django_job(client: aiohttp.ClientSession, url: str, photo: bytes) -> None:
    """Upload, ask for the state until it is done, download."""
    form = aiohttp.FormData()
    form.add_field("image", BytesIO(photo), filename="photo.jpg")
    async with client.post(f"{url}/images/", data=form) as answer:
        address = f"{url}/images/{(await answer.json())['id']}/"
    while True:
        async with client.get(address) as answer:
            if (await answer.json())["status"] == "completed":
                break
        await asyncio.sleep(POLL_S)
    async with client.get(f"{address}download/") as answer:
        assert answer.status == 200
        await answer.read()


async def darkroom_transform(client: Client, image_id: str, case: Case) -> None:
    """Transform a stored image, wait for the result, download it."""
    wait = {"Prefer": "wait=60"}
    answer = await client.post(
        f"/api/images/{image_id}/transform", json={"operations": case.operations}, headers=wait
    )
    assert answer.status == 200, answer
    assert (await client.get(f"/api/images/{answer.json['result_id']}/download")).status == 200


async def ipx_transform(client: aiohttp.ClientSession, url: str, case: Case) -> None:
    """Get the transformed image; ipx keeps no results, so that it makes each again."""
    async with client.get(f"{url}/{case.modifiers}/{case.file}") as answer:
        assert answer.status == 200
        await answer.read()


async def jobs(folder: Path, photo: bytes, redis: str) -> None:
    """Compare whole jobs with the Django service, and print them."""
    async with AsyncExitStack() as stack:
        peer = await stack.enter_async_context(
            peer_processes.django(installed.django_programs(), redis, folder / "django")
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        contenders = [Contender("Django + Celery", lambda: django_job(session, peer.url, photo), peer.cpu_s)]
        kinds: tuple[Kind, ...] = ("services", "embedded")
        for kind in kinds:
            client, cpu_s = await stack.enter_async_context(darkroom(kind, folder / kind))
            contenders.append(Contender(f"Darkroom, {kind}", _job_of(client, photo), cpu_s))
        rates = await compare(contenders, JOBS, JOBS_AT_ONCE)
    show(f"Upload of 2 MP, 800 x 600, download; {JOBS_AT_ONCE} clients", contenders, rates)


def _job_of(client: Client, photo: bytes) -> Callable[[], Awaitable[None]]:
    return lambda: darkroom_job(client, photo)


async def transformations(folder: Path, files: Path, program: Path) -> None:
    """Compare transformations with ipx, and print them."""
    async with AsyncExitStack() as stack:
        peer = await stack.enter_async_context(peer_processes.ipx(program, files))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client, cpu_s = await stack.enter_async_context(darkroom("embedded", folder / "darkroom"))
        for case in CASES:
            stored = await client.upload(files / case.file, retention="keep")
            contenders = [
                Contender("ipx", _ipx_call(session, peer.url, case), peer.cpu_s),
                Contender("Darkroom, embedded", _transform_of(client, stored.json["id"], case), cpu_s),
            ]
            show(
                f"{case.name}; {AT_ONCE} clients", contenders, await compare(contenders, case.calls, AT_ONCE)
            )


def _ipx_call(session: aiohttp.ClientSession, url: str, case: Case) -> Callable[[], Awaitable[None]]:
    return lambda: ipx_transform(session, url, case)


def _transform_of(client: Client, image_id: str, case: Case) -> Callable[[], Awaitable[None]]:
    return lambda: darkroom_transform(client, image_id, case)


def show(title: str, contenders: list[Contender], rates: list[Rate]) -> None:
    """Print the rates, and their ratios to those of the first contender."""
    table = Table("", "a second", "ratio", "CPU ms each", "ratio", title=title)
    first = rates[0]
    for contender, rate in zip(contenders, rates, strict=True):
        table.add_row(
            contender.name,
            f"{rate.a_second:.1f}",
            f"{rate.a_second / first.a_second:.2f}",
            f"{rate.cpu_ms:.1f}",
            f"{rate.cpu_ms / first.cpu_ms:.2f}",
        )
    Console(width=100).print(table)


async def main() -> None:
    """Run what can be installed here."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        for name in ("photos", "django"):
            (folder / name).mkdir()
        make_sources(folder / "photos")
        redis, program = installed.redis_program(), installed.ipx_program()
        if redis is None:
            print("no comparison with Django: it needs redis-server")
        else:
            await jobs(folder, (folder / "photos/2.jpg").read_bytes(), redis)
        if program is None:
            print("no comparison with ipx: it needs node and npm")
        else:
            await transformations(folder, folder / "photos", program)


if __name__ == "__main__":
    asyncio.run(main())
