"""The manifest of a backup: what it holds, with the size and the digest of every file.

`manifest.json` is written last, so a backup that was interrupted has none. The list of objects is a file of
its own, one JSON value a line, because there may be millions.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from libs.backup.errors import BackupDamaged

FORMAT = 1
NAME = "manifest.json"
OBJECTS = "objects.jsonl"
CHUNK_BYTES = 1024 * 1024


class File(Struct, frozen=True, kw_only=True):
    """A file of the backup."""

    path: str  # relative to the folder of the backup
    size_bytes: int
    sha256: str


class SavedTable(Struct, frozen=True, kw_only=True):
    """A table of the database."""

    name: str
    columns: tuple[str, ...]
    rows: int
    file: str = ""  # of PostgreSQL, in the text form of COPY; the one file of SQLite has all tables


class SavedDatabase(Struct, frozen=True, kw_only=True):
    """A copy of the database at one moment."""

    engine: Literal["sqlite", "postgres"]
    server_version: str
    migration: str  # the newest of Darkroom's own
    tables: tuple[SavedTable, ...]  # each after those that it refers to


class SavedObject(Struct, frozen=True, kw_only=True):
    """An object, saved under its SHA-256, or only listed."""

    key: str
    size_bytes: int
    md5: str
    sha256: str

    @property
    def path(self) -> str:
        """Where its file is; objects of the same content share one."""
        return f"objects/{self.sha256[:2]}/{self.sha256}"


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    format: int
    darkroom: str  # the version that wrote it
    created_at: datetime
    database: SavedDatabase
    files: tuple[File, ...]  # all but those of objects
    objects: int
    object_bytes: int
    with_objects: bool  # False: the objects are listed, and their files are elsewhere
    vanished: int  # objects that were deleted while the backup was written


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup.

    Raises:
        BackupDamaged: There is none, or it cannot be read.
    """
    try:
        manifest = msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BackupDamaged(
            f"{folder} has no {NAME}: it is no backup, or writing it was interrupted"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BackupDamaged(f"{folder / NAME} cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise BackupDamaged(f"the backup has the format {manifest.format}; this version reads {FORMAT}")
    return manifest


def read_objects(folder: Path) -> Iterator[SavedObject]:
    """Yield the objects of a backup whose files were checked."""
    decoder = msgspec.json.Decoder(SavedObject)
    with (folder / OBJECTS).open("rb") as lines:
        yield from map(decoder.decode, lines)


def describe(folder: Path, file: Path) -> File:
    """Read a file of the backup, and return its entry for the manifest."""
    size_bytes, _, sha256 = digests(file)
    return File(path=file.relative_to(folder).as_posix(), size_bytes=size_bytes, sha256=sha256)


def check(folder: Path, file: File | SavedObject) -> None:
    """Compare a file with its entry.

    Raises:
        BackupDamaged: It is missing or differs.
    """
    try:
        size_bytes, _, sha256 = digests(folder / file.path)
    except OSError as error:
        raise BackupDamaged(f"{file.path} cannot be read: {error.strerror}") from error
    if size_bytes != file.size_bytes:
        raise BackupDamaged(f"{file.path} has {size_bytes} bytes instead of {file.size_bytes}")
    if sha256 != file.sha256:
        raise BackupDamaged(f"{file.path} has other content than when it was written")


def digests(path: Path, copy: Path | None = None) -> tuple[int, str, str]:
    """Read a file, and write it to `copy`; return its size, its MD5 and its SHA-256."""
    md5, sha256, size_bytes = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    target = copy.open("wb") if copy else None
    try:
        with path.open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                md5.update(chunk)
                sha256.update(chunk)
                size_bytes += len(chunk)
                if target is not None:
                    target.write(chunk)
    finally:
        if target is not None:
            target.close()
    return size_bytes, md5.hexdigest(), sha256.hexdigest()
