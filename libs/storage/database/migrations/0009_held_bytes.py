"""An index that alone answers how many bytes an account holds, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0009-held-bytes"
VERSION = "1.38.0"
DESCRIPTION = "An index of what counts towards an account's bytes"

# It holds what the question at every upload asks for, so that no row is read: the former one left out the status.
STATEMENTS = (
    "drop index if exists image_bytes_of_owner",
    "create index image_bytes_of_owner on image (owner, size_bytes) where status <> 'deleting'",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement)

    manager.add_raw(run)
    return manager
