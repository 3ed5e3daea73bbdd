"""API keys, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0017-api-keys"
VERSION = "1.38.0"
DESCRIPTION = "API keys"

STATEMENTS = (
    """
create table if not exists api_key (
  id uuid primary key not null,
  owner integer not null references piccolo_user (id) on delete cascade,
  name varchar(100) not null,
  key_id varchar(12) not null unique,
  digest varchar(64) not null,
  scopes varchar(255) not null,
  networks text not null default '',
  expires_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz not null
)
""",
    "create index if not exists api_key_of_owner on api_key (owner, id)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
