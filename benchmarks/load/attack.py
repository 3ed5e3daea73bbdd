"""One attack, and the times of another account on the same site meanwhile."""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import aiohttp
import skimage
from msgspec import Struct

from libs.runtime.background import cancel_and_wait
from tests.support.client import Client
from tests.support.site import Kind, Site

WARM_UP_S = 1.0  # until an attack is at its height
SAMPLES = 20  # of each kind, quiet and under attack
LIMIT_S = 60.0  # for one sample
PAUSE_S = 0.05

Effect = dict[str, str]
"""What the attack itself measured, for the table: the responses it received, by status."""


class Attacked(Struct, frozen=True):
    """The site, with an account that attacks it."""

    site: Site
    attacker: Client


@dataclass(frozen=True, kw_only=True)
class Attack:
    """An attack by name; `run` is a context in which it goes on, and which yields what it measured."""

    name: str
    run: Callable[[Attacked], AbstractAsyncContextManager[Effect]]
    kinds: tuple[Kind, ...] = ("embedded",)
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Times(Struct, frozen=True):
    """How long another account waits, in milliseconds: the median; the worst for `live`."""

    upload: float
    download: float
    live: float


class Bystander:
    """Another account, which uploads and downloads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._photo = (Path(skimage.__file__).parent / "data" / "coffee.png").read_bytes()
        self._kept = ""

    async def prepare(self) -> None:
        """Store the image that is downloaded."""
        answer = await self._client.upload(self._photo, filename="kept.png")
        assert answer.status == 201, answer
        self._kept = f"/api/images/{answer.json['id']}/download?version=original"

    async def times(self) -> Times:
        """Take all samples, one after another."""
        uploads, downloads, lives = list[float](), list[float](), list[float]()
        for _ in range(SAMPLES):
            uploads.append(await timed_ms(self._upload))
            downloads.append(await timed_ms(self._download))
            lives.append(await timed_ms(self._live))
            await asyncio.sleep(PAUSE_S)
        return Times(statistics.median(uploads), statistics.median(downloads), max(lives))

    async def _upload(self) -> None:
        answer = await self._client.upload(self._photo, filename="one.png", retention="ephemeral")
        assert answer.status == 201, answer

    async def _download(self) -> None:
        answer = await self._client.get(self._kept)
        assert answer.status == 200, answer
        assert answer.body == self._photo

    async def _live(self) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self._client.site.url}/health/live") as answer,
        ):
            assert answer.status == 200, answer.status


async def timed_ms(call: Callable[[], Awaitable[None]]) -> float:
    """Return how long a call takes, in milliseconds; the limit if it fails or takes longer."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(LIMIT_S):
            await call()
    except (TimeoutError, aiohttp.ClientError, AssertionError):
        return LIMIT_S * 1000
    return (time.perf_counter() - started) * 1000


@asynccontextmanager
async def repeating(count: int, call: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Make a call again and again in `count` tasks while the block runs."""

    async def repeat() -> None:
        while True:
            try:
                await call()
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(PAUSE_S)

    tasks = [asyncio.create_task(repeat()) for _ in range(count)]
    try:
        yield
    finally:
        await cancel_and_wait(*tasks)


def random_bmp(side: int) -> bytes:
    """Return a square BMP of random pixels, which no server compresses; `side` is a multiple of 4."""
    pixels = os.urandom(side * side * 3)
    size = len(pixels) + 54
    header = b"BM" + size.to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    sizes = (40).to_bytes(4, "little") + side.to_bytes(4, "little") * 2 + b"\x01\x00\x18\x00"
    return header + sizes + bytes(24) + pixels


def counted(effect: Effect, status: int) -> None:
    """Count an answer by its status."""
    effect[str(status)] = str(int(effect.get(str(status), "0")) + 1)
