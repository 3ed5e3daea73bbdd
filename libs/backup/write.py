"""Write a backup of a running installation."""

from pathlib import Path

import msgspec

from libs import __version__
from libs.backends import Backends
from libs.backup import manifest
from libs.backup.database_copy import save_database
from libs.backup.errors import BackupRefused
from libs.backup.manifest import FORMAT, NAME, OBJECTS, Manifest
from libs.backup.object_copy import save_objects
from libs.runtime.threads import MAINTENANCE
from libs.storage.database.tables import now


async def write_backup(folder: Path, backends: Backends, *, with_objects: bool = True) -> Manifest:
    """Write database and objects to an empty folder, then the manifest.

    The database comes first: an object is stored before its row and deleted after it, so that every row of
    the copy has its object, unless it was deleted meanwhile.

    Raises:
        BackupRefused: The folder is not empty, or the database was never migrated.
    """
    _make_folder(folder)
    created_at = now()
    database = await save_database(backends.database, folder)
    (folder / "objects").mkdir()
    count = total = vanished = 0
    with (folder / OBJECTS).open("wb") as lines:
        async for saved in save_objects(backends, folder, with_files=with_objects):
            if saved is None:
                vanished += 1
                continue
            lines.write(msgspec.json.encode(saved) + b"\n")
            count, total = count + 1, total + saved.size_bytes
    files = [folder / OBJECTS, *sorted((folder / "database").iterdir())]
    written = Manifest(
        format=FORMAT,
        darkroom=__version__,
        created_at=created_at,
        database=database,
        files=tuple([await MAINTENANCE.run(manifest.describe, folder, file) for file in files]),
        objects=count,
        object_bytes=total,
        with_objects=with_objects,
        vanished=vanished,
    )
    (folder / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(written)))
    return written


def _make_folder(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise BackupRefused(f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
