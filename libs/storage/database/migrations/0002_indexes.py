"""Uniqueness over several columns and the indexes, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0002-indexes"
VERSION = "1.38.0"
DESCRIPTION = "Uniqueness and indexes"

STATEMENTS = (
    "create unique index if not exists image_object_key on image (object_key)",
    "create index if not exists image_of_owner on image (owner, id)",
    "create index if not exists image_bytes_of_owner on image (owner, size_bytes)",
    "create index if not exists image_md5_of_owner on image (owner, md5)",
    "create index if not exists image_parent on image (parent)",
    "create index if not exists image_clock on image (clock)",
    "create index if not exists image_expiry on image (expires_at) where expires_at is not null",
    "create index if not exists image_deleting on image (id) where status = 'deleting'",
    "create index if not exists job_of_owner on job (owner, id)",
    "create index if not exists job_image on job (image, id)",
    "create index if not exists job_result on job (result)",
    "create index if not exists job_batch on job (batch)",
    "create index if not exists job_due on job (run_after) where status in ('queued', 'running')",
    "create index if not exists job_waiting_of_owner on job (owner) where status in ('queued', 'running')",
    "create index if not exists refresh_token_family on refresh_token (family)",
    "create index if not exists refresh_token_user on refresh_token (\"user\")",
    "create index if not exists product_image_batch on product_image (batch, serial_number, position)",
    "create index if not exists webhook_delivery_due on webhook_delivery (next_attempt_at) where status = 'pending'",
    "create unique index if not exists idempotency_key_of_owner on idempotency_key (owner, key)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement)

    manager.add_raw(run)
    return manager
