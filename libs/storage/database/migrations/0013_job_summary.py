"""What lists show of a job's command gets a column, and what the purge of history looks for gets indexes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.postgres import PostgresEngine

from libs.storage.database.tables import Image

ID = "0013-job-summary"
VERSION = "1.38.0"
DESCRIPTION = "job.summary; indexes of submissions by job"

POSTGRES = """
update job set summary = json_build_object(
  'image_id', case when command->>'replaces' = 'true' then command->>'target' end,
  'operations', coalesce(command->'follow'->'operations', command->'operations'))
"""
SQLITE = """
update job set summary = json_object(
  'image_id', case when json_extract(command, '$.replaces') then json_extract(command, '$.target') end,
  'operations', json(coalesce(
    json_extract(command, '$.follow.operations'), json_extract(command, '$.operations'), 'null')))
"""
STATEMENTS = (
    "create index submission_job on submission (job)",
    "create index submission_outcome on submission (outcome)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        fill = POSTGRES if isinstance(Image._meta.db, PostgresEngine) else SQLITE
        for statement in ("alter table job add column summary json", fill.strip(), *STATEMENTS):
            await Image.raw(statement)

    manager.add_raw(run)
    return manager
