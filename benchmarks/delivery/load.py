"""Put load on a server with `wrk`: some connections that request paths in turn."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from infra.local import apt

FEWEST, LONGEST_S = 8, 30.0
SCRIPT = Path(__file__).with_name("paths.lua")


class Load(Struct, frozen=True):
    """What `wrk` has measured."""

    calls: int
    seconds: float
    failed: int
    cached: int  # answers from a cache, counted where there must be none
    p50_ms: float
    p95_ms: float
    begun: int = 0  # calls, with those whose answer was not awaited: the service works for them too

    @property
    def a_second(self) -> float:
        """Answers a second."""
        return self.calls / self.seconds


def has_wrk() -> bool:
    """Return whether `wrk` is here; install Debian's package if it is missing and can be."""
    if shutil.which("wrk") is None and apt.usable():
        apt.install(["wrk"])
    return shutil.which("wrk") is not None


async def put_load(
    folder: Path, url: str, paths: Sequence[str], *, connections: int, seconds: float, misses: bool
) -> Load:
    """Request the paths in turn, from the first again after the last.

    A service that answers fewer than `FEWEST` requests in that time gets twice as long, and so on.

    Raises:
        RuntimeError: A request has failed, one of the `misses` came from a cache, or there was no answer.
    """
    begun = 0
    while True:
        first = begun % len(paths)
        turned = [*paths[first:], *paths[:first]]
        load = await _wrk(folder, url, turned, connections=connections, seconds=seconds, misses=misses)
        begun += load.calls + connections
        if load.failed or load.cached or (not load.calls and seconds > LONGEST_S):
            raise RuntimeError(f"{url}{turned[0]}: {load}")
        if load.calls >= FEWEST or seconds > LONGEST_S:
            return replace(load, begun=begun)
        seconds *= 2


async def _wrk(
    folder: Path, url: str, paths: Sequence[str], *, connections: int, seconds: float, misses: bool
) -> Load:
    (folder / "paths").write_text("\n".join(paths))
    process = await asyncio.create_subprocess_exec(
        *("wrk", "--threads", "1", "--connections", str(connections), "--timeout", "60s"),
        *("--duration", f"{seconds:g}s", "--script", str(SCRIPT), url, "--"),
        *(str(folder / "paths"), "miss" if misses else "hit"),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return msgspec.json.decode(output.strip().rpartition(b"\n")[2], type=Load)
