"""Objects in a folder: what a file system adds to the suite over both stores."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from libs.storage.objects import BadKey, ObjectNotFound, ObjectStore, StoreUnavailable, open_objects
from tests.storage.object_calls import get, listed, names_in, put
from tests.support.file_faults import files_of_at_most, immutable

pytest_plugins = ("tests.storage.objects_fixtures",)

LETTER_BYTES = 20 * 1024 * 1024
KILLS = 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def local(root: Path, scratch: Path) -> ObjectStore:
    return open_objects(root.as_uri(), scratch)


def objects_in(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.name != ".incoming")


async def test_a_file_of_the_same_file_system_is_moved_not_copied(
    local: ObjectStore, root: Path, scratch: Path
) -> None:
    path = scratch / "file"
    path.write_bytes(b"x")
    number = path.stat().st_ino
    await local.put("a/b", path, content_type="image/png", metadata={})
    assert (root / "a/b").stat().st_ino == number
    async with local.as_file("a/b") as own:
        assert own.stat().st_ino == number


async def test_a_file_that_is_read_stays_when_its_object_is_deleted(
    local: ObjectStore, scratch: Path
) -> None:
    await put(local, "a/b", b"kept", scratch)
    async with local.as_file("a/b") as path:
        await local.delete(["a/b"])
        assert path.read_bytes() == b"kept"
    assert not path.exists()


async def test_a_file_of_another_file_system_is_copied_and_removed(local: ObjectStore, root: Path) -> None:
    with tempfile.TemporaryDirectory(dir=other_file_system(root)) as elsewhere:
        await put(local, "a/b", b"from afar", Path(elsewhere))
        assert names_in(Path(elsewhere)) == []
    assert await get(local, "a/b") == b"from afar"
    assert objects_in(root) == ["a", "a/b"]


async def test_an_object_that_cannot_be_copied_for_a_reader_leaves_no_part_of_it(
    local: ObjectStore, root: Path, scratch: Path
) -> None:
    await put(local, "a/b", bytes(300_000), scratch)
    async with immutable(root / "a/b"):  # so that it can have no second name
        with files_of_at_most(100_000), pytest.raises(StoreUnavailable):
            await local.as_file("a/b").__aenter__()
        assert names_in(root / ".incoming") == []
        async with local.as_file("a/b") as path:
            assert path.stat().st_size == 300_000


async def test_emptied_folders_go(local: ObjectStore, root: Path, scratch: Path) -> None:
    for key in ("a/b/c/1", "a/b/2"):
        await put(local, key, b"x", scratch)
    await local.delete(["a/b/c/1"])
    assert objects_in(root) == ["a", "a/b", "a/b/2"]
    await local.delete(["a/b/2", "a/b", "a/b/c/1"])
    assert objects_in(root) == []


async def test_deleting_the_last_object_of_a_folder_does_not_disturb_a_put_into_it(
    local: ObjectStore, scratch: Path
) -> None:
    async def churn(name: str) -> None:
        for _ in range(100):
            await put(local, f"deep/er/still/{name}", b"x", scratch)
            await local.delete([f"deep/er/still/{name}"])

    await asyncio.gather(*(churn(str(number)) for number in range(6)))
    assert await listed(local) == []


async def test_an_open_reader_outlives_deletion(local: ObjectStore, scratch: Path) -> None:
    body = os.urandom(1024 * 1024)
    await put(local, "a", body, scratch)
    async with local.read("a") as chunks:
        first = await anext(chunks)
        await local.delete(["a"])
        assert first + b"".join([chunk async for chunk in chunks]) == body
    with pytest.raises(ObjectNotFound):
        await get(local, "a")


async def test_a_symbolic_link_leads_nowhere_else(
    local: ObjectStore, root: Path, scratch: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_text("secret")
    (root / "folder").symlink_to(secret)
    (root / "file").symlink_to(secret / "file")
    for key in ("folder/file", "file"):
        with pytest.raises(BadKey):
            await get(local, key)
        with pytest.raises(BadKey):
            await local.as_file(key).__aenter__()
        with pytest.raises(BadKey):
            await put(local, key, b"x", scratch)
        with pytest.raises(BadKey):
            await local.delete([key])
    assert "folder/file" not in await listed(local)
    assert (secret / "file").read_text() == "secret"


async def test_a_key_may_not_go_through_another_object(local: ObjectStore, scratch: Path) -> None:
    await put(local, "a/b", b"x", scratch)
    for key in ("a/b/c", "a/b/c/d", "a"):
        path = scratch / "file"
        path.write_bytes(b"y")
        with pytest.raises(BadKey):
            await local.put(key, path, content_type="image/png", metadata={})
    assert await get(local, "a/b") == b"x"


@pytest.mark.parametrize("key", [".incoming/a", ".incoming"])
async def test_the_folder_of_unfinished_files_is_reserved(local: ObjectStore, key: str) -> None:
    with pytest.raises(BadKey):
        await get(local, key)


async def test_only_old_unfinished_files_are_removed_at_the_start(root: Path, scratch: Path) -> None:
    incoming = root / ".incoming"
    incoming.mkdir(parents=True)
    for name in ("old", "new"):
        (incoming / name).touch()
    os.utime(incoming / "old", (0, 0))
    open_objects(root.as_uri(), scratch)
    assert names_in(incoming) == ["new"]


async def test_a_folder_that_is_gone_is_a_passing_fault(local: ObjectStore, root: Path) -> None:
    shutil.rmtree(root)
    with pytest.raises(StoreUnavailable):
        await local.ping()


async def test_there_is_no_link(local: ObjectStore) -> None:
    assert await local.link("a", expires_s=60, content_type="image/png", disposition="inline") is None


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_process_killed_in_the_middle_leaves_the_old_object_or_the_new(
    root: Path, scratch: Path, elsewhere: bool
) -> None:
    folder = Path(tempfile.mkdtemp(dir=other_file_system(scratch) if elsewhere else scratch))
    try:
        for letter in "ab":
            (folder / letter).write_bytes(letter.encode() * LETTER_BYTES)
        for attempt in range(KILLS):
            kill_while_replacing(root, folder, delay_s=0.1 * attempt / KILLS)
            body = (root / "key").read_bytes()
            assert body in (b"a" * LETTER_BYTES, b"b" * LETTER_BYTES)
    finally:
        shutil.rmtree(folder)


def kill_while_replacing(root: Path, folder: Path, *, delay_s: float) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.storage.objects_process",
        "replace",
        root.as_uri(),
        str(folder),
        "key",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay_s)
        process.kill()


def other_file_system(than: Path) -> Path:
    shared_memory = Path("/dev/shm")  # noqa: S108
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == than.parent.stat().st_dev:
        pytest.skip("this machine has no second file system to move files from")
    return shared_memory
