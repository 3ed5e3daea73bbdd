"""Items that a loop has set aside, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0015-set-aside"
VERSION = "1.38.0"
DESCRIPTION = "Items that a loop has set aside"

STATEMENTS = (
    """
create table if not exists set_aside (
  id uuid not null primary key,
  kind varchar(16) not null,
  reason text not null,
  attempts integer not null,
  retry_at timestamptz not null,
  created_at timestamptz not null
)
""",
    "create index if not exists set_aside_created on set_aside (created_at)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
