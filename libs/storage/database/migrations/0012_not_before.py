"""When a job may run and when it is published become two columns; a key is bound to what its request makes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0012-not-before"
VERSION = "1.38.0"
DESCRIPTION = "job.run_after becomes publish_at; job.not_before, job.crashes; idempotency_key.subject, .job, .holder"

STATEMENTS = (
    "alter table job rename column run_after to publish_at",
    "alter table job add column not_before timestamptz",
    "alter table job add column crashes integer not null default 0",
    "alter table idempotency_key add column holder uuid",
    "alter table idempotency_key add column subject uuid",
    "alter table idempotency_key add column job uuid",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement)

    manager.add_raw(run)
    return manager
