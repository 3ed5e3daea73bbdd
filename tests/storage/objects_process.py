"""What the object store tests run in a process of its own, to measure it or to kill it."""

import asyncio
import resource
import shutil
import sys
from pathlib import Path

from libs.storage.objects import open_objects

STREAMED_MIB = 60


async def stream(url: str, scratch: Path, key: str) -> None:
    """Store a large file, fetch it both ways, and print by how many MiB that raised the peak of memory."""
    store = open_objects(url, scratch)
    path = scratch / "large"
    with path.open("wb") as file:
        for number in range(STREAMED_MIB):
            file.write(bytes([number]) * 2**20)
    await store.ping()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await store.put(key, path, content_type="image/png", metadata={})
    async with store.as_file(key) as copy:
        assert copy.stat().st_size == STREAMED_MIB * 2**20
    total = 0
    async with store.read(key) as chunks:
        async for chunk in chunks:
            assert set(chunk) <= {total // 2**20, (total + len(chunk) - 1) // 2**20}
            total += len(chunk)
    assert total == STREAMED_MIB * 2**20
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"{(after - before) // 1024}\n")
    await store.delete([key])
    await store.close()


async def replace_forever(url: str, scratch: Path, key: str) -> None:
    """Put whole files of one letter, over and over, from `scratch`."""
    store = open_objects(url, scratch)
    letters = [scratch / name for name in "ab"]
    while True:
        for letter in letters:
            shutil.copy(letter, scratch / "next")
            await store.put(key, scratch / "next", content_type="text/plain", metadata={})
            sys.stdout.write("stored\n")
            sys.stdout.flush()


if __name__ == "__main__":
    do = {"stream": stream, "replace": replace_forever}[sys.argv[1]]
    asyncio.run(do(sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
