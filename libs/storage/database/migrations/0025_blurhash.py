"""The placeholders of images, which lists show: the metadata that has them is not read for a list."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.postgres import PostgresEngine

from libs.storage.database.tables import Image

ID = "0025-blurhash"
VERSION = "1.38.0"
DESCRIPTION = "Placeholders of images"

COLUMN = "alter table image add column blurhash varchar(40)"
FILL = "update image set blurhash = substr(metadata ->> 'blurhash', 1, 40) where metadata is not null"
# PostgreSQL reads no JSON with this character; such images have no placeholder until they are described again.
POSTGRES_READABLE = r" and position('\u0000' in metadata::text) = 0"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        on_postgres = isinstance(Image._meta.db, PostgresEngine)
        await Image.raw(COLUMN)
        await Image.raw(FILL + POSTGRES_READABLE if on_postgres else FILL)

    manager.add_raw(run)
    return manager
