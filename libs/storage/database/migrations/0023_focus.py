"""The focal point of an image."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0023-focus"
VERSION = "1.38.0"
DESCRIPTION = "Focal points"

STATEMENTS = (
    "alter table image add column focus_x double precision",
    "alter table image add column focus_y double precision",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement)

    manager.add_raw(run)
    return manager
