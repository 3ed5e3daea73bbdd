"""One suite over both object stores, then what only one of them can do."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from libs.storage.objects import (
    CHUNK_BYTES,
    BadKey,
    Digest,
    DigestMismatch,
    ObjectNotFound,
    ObjectStore,
)
from tests.storage.object_calls import get, listed, md5, names_in, put
from tests.support.waiting import WAIT_S

pytest_plugins = ("tests.storage.objects_fixtures",)

PART_BYTES = 5 * 1024 * 1024
CHILD = (sys.executable, "-m", "tests.storage.objects_process")
AWKWARD = [
    "ünï cödé/猫.png",
    "a b/c&d=e+f%20g#h?i.png",
    "100%/'quotes\".png",
    "😀.gif",
    "dot.dir/.hidden",
    "~/*",
]


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES]
)
async def test_what_was_put_is_what_is_read(
    store: ObjectStore, prefix: str, scratch: Path, size: int
) -> None:
    body = os.urandom(size)
    await put(store, prefix + "a/b.png", body, scratch)
    assert await get(store, prefix + "a/b.png") == body
    async with store.as_file(prefix + "a/b.png") as path:
        assert path.read_bytes() == body
    assert names_in(scratch) == []


async def test_a_put_replaces(store: ObjectStore, prefix: str, scratch: Path) -> None:
    await put(store, prefix + "a", b"a longer one", scratch)
    await put(store, prefix + "a", b"new", scratch)
    assert await get(store, prefix + "a") == b"new"


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (2, 3, b"234"),
        (0, 1, b"0"),
        (0, 0, b""),
        (4, 0, b""),
        (7, None, b"789"),
        (8, 50, b"89"),
        (10, None, b""),
        (99, 1, b""),
    ],
)
async def test_ranges(
    store: ObjectStore, prefix: str, scratch: Path, start: int, length: int | None, expected: bytes
) -> None:
    await put(store, prefix + "digits", b"0123456789", scratch)
    assert await get(store, prefix + "digits", start=start, length=length) == expected


async def test_chunks_are_small_and_ranges_cross_them(store: ObjectStore, prefix: str, scratch: Path) -> None:
    body = os.urandom(3 * CHUNK_BYTES)
    await put(store, prefix + "a", body, scratch)
    async with store.read(prefix + "a", start=100, length=2 * CHUNK_BYTES) as chunks:
        received = [chunk async for chunk in chunks]
    assert b"".join(received) == body[100 : 100 + 2 * CHUNK_BYTES]
    assert max(map(len, received)) <= CHUNK_BYTES


@pytest.mark.parametrize("name", AWKWARD)
async def test_keys_may_hold_any_text(store: ObjectStore, prefix: str, scratch: Path, name: str) -> None:
    await put(store, prefix + name, name.encode(), scratch)
    assert await get(store, prefix + name) == name.encode()
    assert await listed(store, prefix) == [prefix + name]
    await store.delete([prefix + name])
    assert await listed(store, prefix) == []


@pytest.mark.parametrize("length", [None, 0, 5])
async def test_a_missing_key_has_its_own_error_before_the_first_byte(
    store: ObjectStore, prefix: str, scratch: Path, length: int | None
) -> None:
    await put(store, prefix + "folder/a", b"a", scratch)
    for key in ("none.png", "folder", "folder/a/b"):
        with pytest.raises(ObjectNotFound):
            await store.read(prefix + key, length=length).__aenter__()
        with pytest.raises(ObjectNotFound):
            await store.as_file(prefix + key).__aenter__()
    assert names_in(scratch) == []


async def test_deleting_twice_is_fine(store: ObjectStore, prefix: str, scratch: Path) -> None:
    keys = [prefix + "x/y/1", prefix + "x/y/2", prefix + "z"]
    for key in keys:
        await put(store, key, b"a", scratch)
    await store.delete([keys[0], prefix + "never/was"])
    assert await listed(store, prefix) == keys[1:]
    for _ in range(2):
        await store.delete(keys)
    await store.delete([])
    with pytest.raises(ObjectNotFound):
        await get(store, keys[1])


async def test_a_list_is_complete_and_a_prefix_may_end_anywhere(
    store: ObjectStore, prefix: str, scratch: Path
) -> None:
    keys = {
        f"{prefix}{folder}/{number:04}" for folder in ("cat", "cats", "dogs/old") for number in range(350)
    }
    for key in keys:
        await put(store, key, b"", scratch)
    assert await listed(store, prefix) == sorted(keys)
    assert await listed(store, prefix + "cat") == sorted(key for key in keys if "/cat" in key)
    assert await listed(store, prefix + "cat/03") == sorted(key for key in keys if "/cat/03" in key)
    assert await listed(store, prefix + "birds/") == []
    await store.delete(list(keys))
    assert await listed(store, prefix) == []


def test_a_large_file_is_never_held_in_memory(objects_url: str, scratch: Path, prefix: str) -> None:
    done = subprocess.run(
        [*CHILD, "stream", objects_url, str(scratch), prefix + "large"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 30


async def test_twenty_readers_at_once_do_not_wait_for_each_other(
    store: ObjectStore, prefix: str, scratch: Path
) -> None:
    body = os.urandom(2 * 1024 * 1024)
    await put(store, prefix + "a", body, scratch)
    readers = [store.read(prefix + "a") for _ in range(20)]
    async with asyncio.timeout(WAIT_S):
        opened = [await reader.__aenter__() for reader in readers]
        firsts = [await anext(chunks) for chunks in opened]
        assert all(body.startswith(first) for first in firsts)
        assert await get(store, prefix + "a") == body
        for reader in readers:
            await reader.__aexit__(None, None, None)
        for _ in range(120):  # what is left unread must not keep its connection
            async with store.read(prefix + "a"):
                pass
    assert await get(store, prefix + "a") == body


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "a//b",
        "a/",
        "../a",
        "a/../../b",
        "a/..",
        "./a",
        "a\\b",
        "a\0b",
        "a\nb",
        "\ud800",
        "a" * 300,
        "é/" * 500 + "a",
    ],
)
async def test_a_bad_key_is_refused_by_every_call(store: ObjectStore, scratch: Path, key: str) -> None:
    path = scratch / "file"
    path.write_bytes(b"x")
    with pytest.raises(BadKey):
        await store.put(key, path, content_type="image/png", metadata={})
    with pytest.raises(BadKey):
        await get(store, key)
    with pytest.raises(BadKey):
        await store.as_file(key).__aenter__()
    with pytest.raises(BadKey):
        await store.delete([key])
    with pytest.raises(BadKey):
        await store.link(key, expires_s=60, content_type="image/png", disposition="inline")
    assert path.exists()


async def test_odd_metadata_is_no_obstacle(store: ObjectStore, prefix: str, scratch: Path) -> None:
    path = scratch / "file"
    path.write_bytes(b"x")
    metadata = {"owner": "Zoë 猫", "image-id": "a\r\nb: c", "md5": ""}
    await store.put(prefix + "a", path, content_type="image/png", metadata=metadata)
    assert await get(store, prefix + "a") == b"x"


async def test_ping_is_silent_when_all_is_well(store: ObjectStore) -> None:
    await store.ping()


async def test_a_file_of_another_size_than_was_received_is_not_stored(
    store: ObjectStore, prefix: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with pytest.raises(DigestMismatch):
        await store.put(
            prefix + "a", path, content_type="image/png", metadata={}, expected=Digest(4, md5(b"abc"))
        )
    assert await listed(store, prefix) == []
    await store.put(
        prefix + "a", path, content_type="image/png", metadata={}, expected=Digest(3, md5(b"abc"))
    )
    assert await get(store, prefix + "a") == b"abc"
