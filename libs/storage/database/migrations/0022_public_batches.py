"""Batches whose outputs are public and rendered ahead, and an index of public images."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0022-public-batches"
VERSION = "1.38.0"
DESCRIPTION = "Public outputs of batches"

STATEMENTS = (
    "alter table batch add column public boolean not null default false",
    "alter table batch add column renditions text not null default '[]'",
    "create index if not exists image_public on image (owner, public, id, status)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement)

    manager.add_raw(run)
    return manager
