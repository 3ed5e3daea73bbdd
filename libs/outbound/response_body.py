"""Saving a response body to a file, counted and hashed on the way."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import Struct

from libs.outbound.errors import UrlTooLarge
from libs.runtime.disk import write_all
from libs.runtime.threads import SCRATCH

WRITE_BYTES = 256 * 1024


class SavedBody(Struct, frozen=True):
    """Size and hash of a body that was saved."""

    size_bytes: int
    md5: str


async def save_body(chunks: AsyncIterator[bytes], target: Path, *, max_bytes: int) -> SavedBody:
    """Write `chunks` to `target`, buffering less than a megabyte in memory.

    Raises:
        UrlTooLarge: There are more than `max_bytes`.
    """
    md5 = hashlib.md5(usedforsecurity=False)
    size, buffer = 0, bytearray()
    with await SCRATCH.run(target.open, "wb", buffering=0) as file:

        def write() -> None:
            md5.update(buffer)
            write_all(file, buffer)

        async for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise UrlTooLarge(f"the file has more than {max_bytes} bytes")
            buffer += chunk
            if len(buffer) >= WRITE_BYTES:
                await SCRATCH.run(write)
                buffer.clear()
        await SCRATCH.run(write)
    return SavedBody(size, md5.hexdigest())
