"""Short calls to an object store, for tests."""

import hashlib
import os
from pathlib import Path
from uuid import uuid4

import pytest

from libs.storage.objects import ObjectStore, StoreUnavailable


def s3_url() -> str:
    url = os.environ.get("DARKROOM_TEST_OBJECTS_URL")
    if not url:
        pytest.fail('DARKROOM_TEST_OBJECTS_URL is not set: eval "$(infra/local/services env)"')
    return url


async def put(store: ObjectStore, key: str, body: bytes, scratch: Path) -> None:
    path = scratch / uuid4().hex
    path.write_bytes(body)
    await store.put(key, path, content_type="image/png", metadata={"owner": "ada", "md5": "0" * 32})
    assert not path.exists()


async def get(store: ObjectStore, key: str, *, start: int = 0, length: int | None = None) -> bytes:
    async with store.read(key, start=start, length=length) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def listed(store: ObjectStore, prefix: str = "") -> list[str]:
    return sorted([stored.key async for stored in store.scan(prefix)])


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


async def every_call_raises_unavailable(store: ObjectStore, scratch: Path) -> None:
    """Check that each call raises `StoreUnavailable` and that a put leaves its file; close the store."""
    path = scratch / "file"
    path.write_bytes(b"x")
    calls = (
        store.ping(),
        get(store, "a"),
        store.delete(["a"]),
        anext(aiter(store.scan(""))),
        store.put("a", path, content_type="image/png", metadata={}),
        store.as_file("a").__aenter__(),
    )
    for call in calls:
        with pytest.raises(StoreUnavailable):
            await call
    assert path.exists()
    await store.close()
