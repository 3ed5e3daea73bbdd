"""Indexes over jobs that wait and over the items of batches, and the status of these with its own words."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Varchar
from piccolo.columns.indexes import IndexMethod

from libs.contracts.enums import ItemStatus
from libs.storage.database.tables import Image

ID = "0006-batches-indexes"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of batches"

# Jobs that are parked wait for the feeding of batches; those that are not belong to the sweep.
STATEMENTS = (
    "drop index if exists job_due",
    "create index job_due on job (run_after) where status in ('queued', 'running') and parked = false",
    "drop index if exists job_waiting_of_owner",
    "create index job_waiting_of_owner on job (owner) where status in ('queued', 'running') and batch is null",
    "create index job_parked on job (host, run_after, id) where status = 'queued' and parked = true",
    "create index job_out on job (host) where status in ('queued', 'running') and parked = false and host is not null",
    "create index job_busy_image on job (image) where status in ('queued', 'running') and image is not null",
    "drop index if exists product_image_batch",
    "create index product_image_of_batch on product_image (batch, id)",
    "create index product_image_job on product_image (job)",
    "create index product_image_output on product_image (output)",
    "create index batch_of_owner on batch (owner, id)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)
    manager.add_column(
        table_class_name="ProductImage",
        tablename="product_image",
        column_name="status",
        db_column_name="status",
        column_class_name="Varchar",
        column_class=Varchar,
        params={
            "length": 16,
            "default": "pending",
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": ItemStatus,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement)

    manager.add_raw(run)
    return manager
