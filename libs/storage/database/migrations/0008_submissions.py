"""Messages from outside and who waits for their outcome, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0008-submissions"
VERSION = "1.38.0"
DESCRIPTION = "Messages from outside and who waits for their outcome"

STATEMENTS = (
    """
create table if not exists submission (
  id uuid not null primary key,
  owner integer not null references piccolo_user (id) on delete cascade,
  name varchar(255),
  job uuid not null,
  outcome uuid not null,
  created_at timestamptz not null
)
""",
    """
create table if not exists reply (
  id uuid not null primary key,
  submission uuid not null references submission (id) on delete cascade,
  reply_to varchar(255) not null,
  correlation_id varchar(255),
  attempts integer not null,
  send_after timestamptz not null
)
""",
    "create unique index if not exists submission_name_of_owner on submission (owner, name)",
    "create index if not exists reply_submission on reply (submission)",
    "create index if not exists reply_due on reply (send_after)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
