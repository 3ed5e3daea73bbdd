"""Calls to models that edit images, and what accounts used of them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0007-edits"
VERSION = "1.38.0"
DESCRIPTION = "Calls to models that edit images"

STATEMENTS = (
    """
create table if not exists edit_call (
  id uuid primary key not null references job (id) on delete cascade,
  state varchar(16) not null,
  calls integer not null,
  attempt integer not null,
  started_at timestamptz not null
)
""",
    """
create table if not exists edit_usage (
  id uuid primary key not null,
  owner integer not null references piccolo_user (id) on delete cascade,
  day varchar(10) not null,
  edits integer not null default 0,
  calls integer not null default 0,
  images integer not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  total_tokens bigint not null default 0
)
""",
    "create unique index if not exists edit_usage_of_day on edit_usage (owner, day)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
