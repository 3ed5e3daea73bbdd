"""Two columns get the field's own names, on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0010-plain-column-names"
VERSION = "1.38.0"
DESCRIPTION = "image.clock becomes expiry_group, job.parked becomes held"

# Both engines rewrite the indexes that use a renamed column; only the names of two indexes are left to change.
STATEMENTS = (
    "alter table image rename column clock to expiry_group",
    "drop index image_clock",
    "create index image_expiry_group on image (expiry_group)",
    "alter table job rename column parked to held",
    "drop index job_parked",
    "create index job_held on job (host, run_after, id) where status = 'queued' and held = true",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement)

    manager.add_raw(run)
    return manager
