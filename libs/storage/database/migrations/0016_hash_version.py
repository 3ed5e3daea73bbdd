"""Which version of the perceptual hashes an image has."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0016-hash-version"
VERSION = "1.38.0"
DESCRIPTION = "image.hash_version"

# The default is for good: processes of the release before this one may go on writing hashes of version 1.
STATEMENT = "alter table image add column hash_version smallint not null default 1"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        await Image.raw(STATEMENT)

    manager.add_raw(run)
    return manager
