"""Writing what comes in to a file, counted and hashed on the way."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import Struct

from libs.outbound.errors import UrlTooLarge

WRITE_BYTES = 256 * 1024


class Received(Struct, frozen=True):
    """What was written."""

    size_bytes: int
    md5: str


async def receive(chunks: AsyncIterator[bytes], target: Path, *, max_bytes: int) -> Received:
    """Write `chunks` to `target`; never more than a fraction of a megabyte is held.

    Raises:
        UrlTooLarge: More than `max_bytes` came.
    """
    md5 = hashlib.md5(usedforsecurity=False)
    size, waiting = 0, bytearray()
    with await asyncio.to_thread(target.open, "wb", buffering=0) as file:

        def write() -> None:
            md5.update(waiting)
            file.write(waiting)

        async for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise UrlTooLarge(f"the address holds more than {max_bytes} bytes")
            waiting += chunk
            if len(waiting) >= WRITE_BYTES:
                await asyncio.to_thread(write)
                waiting.clear()
        await asyncio.to_thread(write)
    return Received(size, md5.hexdigest())
