"""What the operators' pages show: the timeline of jobs, what operators did, and indexes for counts."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0026-operators"
VERSION = "1.38.0"
DESCRIPTION = "job.timeline, audit_entry, and indexes of ended and failed jobs"

STATEMENTS = (
    "alter table job add column timeline text not null default ''",
    "create index if not exists job_finished on job (finished_at, status) where finished_at is not null",
    "create index if not exists job_failed on job (finished_at, error_code) where status = 'failed'",
    "create index if not exists job_failed_by_id on job (id) where status = 'failed'",
    "create index if not exists webhook_delivery_failed on webhook_delivery (id) where status = 'failed'",
    """
create table if not exists audit_entry (
  id uuid primary key not null,
  operator integer not null,
  username varchar(100) not null,
  action varchar(64) not null,
  kind varchar(16) not null,
  subject varchar(255) not null,
  detail text not null default '',
  request_id varchar(64),
  created_at timestamptz not null
)
""",
    "create index if not exists audit_entry_subject on audit_entry (subject, id)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
