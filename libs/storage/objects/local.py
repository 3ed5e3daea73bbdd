"""The object store on a file system."""

import errno
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from libs.runtime import metrics
from libs.runtime.disk import free_bytes, is_no_space
from libs.runtime.threads import DOWNLOADS, MAINTENANCE, STORING
from libs.storage.objects.digest import check_size
from libs.storage.objects.errors import (
    BadKey,
    ObjectNotFound,
    ObjectsNotDeleted,
    StoreFull,
    StoreUnavailable,
)
from libs.storage.objects.key_rules import INCOMING, check_key, check_prefix
from libs.storage.objects.port import CHUNK_BYTES, Digest, Stored

MOVE_ATTEMPTS = 100  # of a put whose folder a concurrent delete removes
SCAN_CHUNK = 1000  # objects
ABANDONED_S = 24 * 3600.0
PINNED = "reading-"  # names of objects that are being read as files


class LocalObjects:
    """An `ObjectStore` in a folder. Content types and metadata are not stored."""

    serves_clients = False

    def __init__(self, root: Path) -> None:
        self._incoming = root / INCOMING
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()
        _remove_abandoned(self._incoming)

    async def put(
        self,
        key: str,
        path: Path,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        expected: Digest | None = None,
    ) -> None:
        await STORING.run(self._put, key, path, expected)

    @asynccontextmanager
    async def as_file(self, key: str) -> AsyncGenerator[Path]:
        path = await DOWNLOADS.run(self._pin, key)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    @asynccontextmanager
    async def read(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        file, first = await DOWNLOADS.run(self._open_and_read, key, start, length)
        try:
            yield _chunks(file, first, length)
        finally:
            file.close()

    async def delete(self, keys: Sequence[str]) -> None:
        await STORING.run(self._delete, keys)

    async def scan(self, prefix: str) -> AsyncGenerator[Stored]:
        check_prefix(prefix)
        walk = self._walk(prefix.rpartition("/")[0], prefix)
        while found := await STORING.run(tuple, itertools.islice(walk, SCAN_CHUNK)):
            for stored in found:
                yield stored

    async def link(self, key: str, *, expires_s: int, content_type: str, disposition: str) -> None:
        check_key(key)

    async def signed_put(
        self, key: str, *, size_bytes: int, md5: str | None, content_type: str, expires_s: int
    ) -> None:
        check_key(key)

    async def free_bytes(self) -> int:
        with _faults():
            return await MAINTENANCE.run(free_bytes, self._incoming)

    async def ping(self) -> None:
        if not await MAINTENANCE.run(os.access, self._incoming, os.R_OK | os.W_OK | os.X_OK):
            raise StoreUnavailable("the folder of the object store is not writable")

    async def close(self) -> None:
        pass

    def _locate(self, key: str) -> Path:
        """Return the object's path; refuse a symbolic link that leads out of the store."""
        check_key(key)
        # Otherwise a lost mount would look like missing objects, and files would be written below it.
        if not os.path.isdir(self._incoming):  # noqa: PTH112 - half the time of a Path's
            raise StoreUnavailable("the folder of the object store is missing")
        path = f"{self._root}/{key}"
        if self._has_links(key) and not os.path.realpath(path).startswith(f"{self._root}/"):
            raise BadKey(key, "it leads out of the store")
        return Path(path)

    def _has_links(self, key: str) -> bool:
        """Return whether the object or a folder of it is a symbolic link; the path of the root has none."""
        path = str(self._root)
        for name in key.split("/"):
            path = f"{path}/{name}"
            if os.path.islink(path):  # noqa: PTH114 - a third of the time of a Path's
                return True
        return False

    def _put(self, key: str, path: Path, expected: Digest | None) -> None:
        target = self._locate(key)
        check_size(path, expected)
        size_bytes = path.stat().st_size
        with _faults():
            with path.open("rb") as file:
                os.fsync(file.fileno())
            try:
                self._move(path, target, key)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                copy = self._copy_in(path)
                try:
                    self._move(copy, target, key)
                finally:
                    copy.unlink(missing_ok=True)
                path.unlink(missing_ok=True)
        metrics.BYTES.add("stored", by=size_bytes)

    def _copy_in(self, path: Path) -> Path:
        """Copy a file to the store's own file system, from which renaming is atomic."""
        with (
            path.open("rb") as source,
            tempfile.NamedTemporaryFile(dir=self._incoming, delete=False) as copy,
            _complete(Path(copy.name)),
        ):
            shutil.copyfileobj(source, copy, CHUNK_BYTES)
            copy.flush()
            os.fsync(copy.fileno())
        return Path(copy.name)

    def _move(self, path: Path, target: Path, key: str) -> None:
        """Rename the file into place; a concurrent `delete` can remove the empty folder at any moment."""
        if target.parent.is_dir():
            with suppress(FileNotFoundError, FileExistsError, IsADirectoryError):
                path.replace(target)
                _sync_folder(target.parent)
                return
        for _ in range(MOVE_ATTEMPTS):
            created = [folder for folder in _below(self._root, target) if not folder.exists()]
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
                for folder in {target.parent, *(folder.parent for folder in created)}:
                    _sync_folder(folder)
            except (NotADirectoryError, IsADirectoryError):
                break
            except (FileNotFoundError, FileExistsError):
                if target.parent.is_file():
                    break
                continue
            return
        raise BadKey(key, "it begins with the key of another object, or another key begins with it")

    def _open(self, key: str, start: int) -> BinaryIO:
        if start < 0:
            raise ValueError("start must not be negative")
        path = self._locate(key)
        try:
            with _faults():
                file = path.open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectNotFound(key) from None
        if start:
            file.seek(start)
        return file

    def _open_and_read(self, key: str, start: int, length: int | None) -> tuple[BinaryIO, bytes]:
        """Open an object and read its first chunk: most objects have no other, and are closed at once."""
        file = self._open(key, start)
        try:
            first = _read_chunk(file, length)
            if len(first) == length:
                file.close()
            return file, first
        except BaseException:
            file.close()
            raise

    def _pin(self, key: str) -> Path:
        """Return a second name of the object's file, which stays when the object is deleted or replaced."""
        pinned = self._incoming / f"{PINNED}{uuid4()}"
        try:
            os.link(os.path.realpath(self._locate(key)), pinned)
        except OSError:  # there is none, or a file system without hard links
            with self._open(key, 0) as file, _faults(), _complete(pinned), pinned.open("wb") as copy:
                shutil.copyfileobj(file, copy, CHUNK_BYTES)
        metrics.BYTES.add("read", by=pinned.stat().st_size)
        return pinned

    def _delete(self, keys: Sequence[str]) -> None:
        kept: dict[str, str] = {}
        for key, path in [(key, self._locate(key)) for key in keys]:
            with _faults(), suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                try:
                    path.unlink()
                except PermissionError as error:  # of this file, which may be immutable
                    kept[key] = error.strerror or "not permitted"
                    continue
            with suppress(OSError):  # the folder is not empty, or is used again
                for folder in reversed(_below(self._root, path)):
                    folder.rmdir()
        if kept:
            raise ObjectsNotDeleted(kept)

    def _walk(self, folder: str, prefix: str) -> Generator[Stored]:
        start = self._root / folder
        for parent, folders, files in os.walk(start):
            inside = Path(parent).relative_to(self._root).as_posix()
            base = "" if inside == "." else f"{inside}/"
            folders[:] = [name for name in folders if _may_hold(f"{base}{name}/", prefix)]
            for key in (base + name for name in files):
                if key.startswith(prefix) and (stored := self._stored(key)) is not None:
                    yield stored

    def _stored(self, key: str) -> Stored | None:
        try:
            stat = (self._root / key).stat()
        except FileNotFoundError:
            return None  # deleted meanwhile
        return Stored(
            key=key, size_bytes=stat.st_size, modified_at=datetime.fromtimestamp(stat.st_mtime, UTC)
        )


def _may_hold(folder: str, prefix: str) -> bool:
    return folder != f"{INCOMING}/" and (folder.startswith(prefix) or prefix.startswith(folder))


async def _chunks(file: BinaryIO, chunk: bytes, length: int | None) -> AsyncGenerator[bytes]:
    left = length
    while chunk:
        metrics.BYTES.add("read", by=len(chunk))
        yield chunk
        left = None if left is None else left - len(chunk)
        chunk = b"" if left == 0 else await DOWNLOADS.run(_read_chunk, file, left)


def _read_chunk(file: BinaryIO, left: int | None) -> bytes:
    with _faults():
        return file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))


@contextmanager
def _faults() -> Generator[None]:
    """Raise `StoreUnavailable` for errors such as a full disk or a lost mount.

    Errors about the path itself, and a rename across file systems, pass through.
    """
    try:
        yield
    except (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError):
        raise
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise
        if is_no_space(error):
            raise StoreFull from error
        raise StoreUnavailable(error.strerror or "the file system failed") from error


@contextmanager
def _complete(path: Path) -> Generator[None]:
    """Remove the file that the block writes if it cannot write all of it."""
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _below(root: Path, target: Path) -> list[Path]:
    """Return the folders between the root and the target, outermost first."""
    return [folder for folder in reversed(target.parents) if folder != root and folder.is_relative_to(root)]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_abandoned(incoming: Path) -> None:
    """Remove files whose process was killed; a file in use is never that old."""
    for copy in incoming.iterdir():
        with suppress(FileNotFoundError):
            found = copy.stat()  # a pin has the object's own modification time
            if (
                found.st_ctime if copy.name.startswith(PINNED) else found.st_mtime
            ) < time.time() - ABANDONED_S:
                copy.unlink()
