"""Indexes of what operators see: what became of a webhook's deliveries, and what is stored in all."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0028-webhook-outcomes"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of deliveries by outcome, and of sizes by status and retention"

# Each begins as the one that it replaces, and goes on with the columns that are read, so that no row is.
STATEMENTS = (
    "create index webhook_delivery_outcome on webhook_delivery (endpoint, status, finished_at)",
    "drop index if exists webhook_delivery_endpoint",
    "drop index if exists image_bytes_of_owner",
    "create index image_bytes_of_owner on image (owner, status, retention, size_bytes)"
    " where status <> 'deleting'",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement)

    manager.add_raw(run)
    return manager
