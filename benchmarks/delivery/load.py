"""Put load on a server with `wrk`: some connections that request paths in turn."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.local import apt

SCRIPT = Path(__file__).with_name("paths.lua")


class Load(Struct, frozen=True):
    """What `wrk` has measured."""

    calls: int
    seconds: float
    failed: int
    cached: int  # answers from a cache, counted where there must be none
    p50_ms: float
    p95_ms: float

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
    """Request the paths in turn, from the first again after the last. `wrk` reads them from a file.

    Raises:
        RuntimeError: A request has failed, or one of the `misses` came from a cache.
    """
    (folder / "paths").write_text("\n".join(paths))
    process = await asyncio.create_subprocess_exec(
        *("wrk", "--threads", "1", "--connections", str(connections), "--timeout", "60s"),
        *("--duration", f"{seconds:g}s", "--script", str(SCRIPT), url, "--"),
        *(str(folder / "paths"), "miss" if misses else "hit"),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    load = msgspec.json.decode(output.strip().rpartition(b"\n")[2], type=Load)
    if load.failed or load.cached or not load.calls:
        raise RuntimeError(f"{url}{paths[0]}: {load}")
    return load
