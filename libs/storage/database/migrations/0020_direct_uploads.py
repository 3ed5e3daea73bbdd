"""Direct uploads, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0020-direct-uploads"
VERSION = "1.38.0"
DESCRIPTION = "Direct uploads"

STATEMENTS = (
    """
create table if not exists direct_upload (
  id uuid primary key not null,
  owner integer not null references piccolo_user (id) on delete cascade,
  token uuid references upload_token (id) on delete set null,
  filename varchar(255) not null,
  content_type varchar(128) not null,
  size_bytes bigint not null,
  md5 varchar(32),
  image uuid,
  expires_at timestamptz not null,
  created_at timestamptz not null
)
""",
    "create index if not exists direct_upload_of_owner on direct_upload (owner, image, size_bytes)",
    "create index if not exists direct_upload_of_token on direct_upload (token) where token is not null",
    "create index if not exists direct_upload_expired on direct_upload (expires_at)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
