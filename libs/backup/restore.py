"""Restore a backup into an empty installation, and prove that it is complete."""

from pathlib import Path

from libs.backends import Backends
from libs.backup.database_copy import count_rows, is_empty, load_database
from libs.backup.errors import BackupDamaged, BackupRefused
from libs.backup.manifest import Manifest, check, read_manifest, read_objects
from libs.backup.object_copy import check_files, check_objects, load_objects
from libs.runtime.threads import MAINTENANCE
from libs.storage import due_jobs, webhook_dispatch
from libs.storage.database.delivery_tables import Rendition
from libs.storage.database.migrate import migrate, newest_migration
from libs.storage.database.postgres import PooledPostgres


async def restore(folder: Path, backends: Backends) -> Manifest:
    """Check the whole backup, then fill database and object store from it, count the rows, and migrate.

    Raises:
        BackupDamaged: A file is missing or differs from the manifest, and nothing was changed; or the rows
            that were loaded are not those that were saved.
        BackupRefused: The database or the object store is not empty, or the backup is of another engine or
            of a newer version.
    """
    manifest = read_manifest(folder)
    await _check_target(manifest, backends)
    for file in manifest.files:
        await MAINTENANCE.run(check, folder, file)
    if manifest.with_objects:
        await MAINTENANCE.run(check_files, read_objects(folder), folder)
    else:
        await check_objects(read_objects(folder), backends)
    await load_database(backends.database, folder, manifest.database)
    counts = await count_rows(backends.database, manifest.database)
    for table in manifest.database.tables:
        if counts[table.name] != table.rows:
            raise BackupDamaged(f"{table.name} has {counts[table.name]} rows instead of {table.rows}")
    await migrate(backends.database)
    await due_jobs.publish_all_soon()
    await webhook_dispatch.expire_leases()
    await Rendition.delete(force=True)  # their objects are not saved
    if manifest.with_objects:
        await load_objects(read_objects(folder), backends, folder)
    return manifest


async def _check_target(manifest: Manifest, backends: Backends) -> None:
    engine = "postgres" if isinstance(backends.database, PooledPostgres) else "sqlite"
    saved = manifest.database
    if saved.engine != engine:
        raise BackupRefused(f"the backup is of {saved.engine}, and DARKROOM_DATABASE_URL names {engine}")
    if saved.migration > newest_migration():
        raise BackupRefused(
            f"the backup is of Darkroom {manifest.darkroom}, which is newer: its database has the migration "
            f"{saved.migration}, and this version ends with {newest_migration()}"
        )
    if not await is_empty(backends.database):
        raise BackupRefused("the database is not empty")
    if manifest.with_objects:
        async for stored in backends.objects.scan(""):
            raise BackupRefused(f"the object store is not empty: it has {stored.key}")
