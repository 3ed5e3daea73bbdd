"""Upload tokens, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0019-upload-tokens"
VERSION = "1.38.0"
DESCRIPTION = "Upload tokens"

STATEMENTS = (
    """
create table if not exists upload_token (
  id uuid primary key not null,
  owner integer not null references piccolo_user (id) on delete cascade,
  made_by uuid references api_key (id) on delete cascade,
  token_id varchar(12) not null unique,
  digest varchar(64) not null,
  max_bytes bigint not null,
  formats varchar(255) not null default '',
  terms text not null,
  allowed integer not null,
  used integer not null default 0,
  expires_at timestamptz not null,
  created_at timestamptz not null
)
""",
    "create index if not exists upload_token_of_owner on upload_token (owner, id)",
    "create index if not exists upload_token_of_key on upload_token (made_by) where made_by is not null",
    "create index if not exists upload_token_expired on upload_token (expires_at)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
