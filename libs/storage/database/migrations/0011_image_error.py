"""A column that nothing used is dropped, on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0011-image-error"
VERSION = "1.38.0"
DESCRIPTION = "image.error is dropped; a job has the error"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        await Image.raw("alter table image drop column error")

    manager.add_raw(run)
    return manager
