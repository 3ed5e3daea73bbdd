"""The trace that a job and a webhook delivery belong to, for what goes on with them later."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Job

ID = "0027-traceparent"
VERSION = "1.38.0"
DESCRIPTION = "Traces of jobs and webhook deliveries"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        await Job.raw("alter table job add column traceparent varchar(55)")
        await Job.raw("alter table webhook_delivery add column traceparent varchar(55)")

    manager.add_raw(run)
    return manager
