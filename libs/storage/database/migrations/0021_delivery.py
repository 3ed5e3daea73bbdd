"""Presets, delivery keys, renditions, and public images, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0021-delivery"
VERSION = "1.38.0"
DESCRIPTION = "Images by URL"

STATEMENTS = (
    "alter table image add column public boolean not null default false",
    """
create table if not exists preset (
  id uuid primary key not null,
  owner integer not null references piccolo_user (id) on delete cascade,
  name varchar(63) not null,
  operations text not null,
  public boolean not null,
  cache boolean not null,
  formats text not null,
  fallback uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (owner, name)
)
""",
    """
create table if not exists delivery_key (
  id uuid primary key not null,
  owner integer not null references piccolo_user (id) on delete cascade,
  name varchar(100) not null,
  key_id varchar(16) not null unique,
  secret varchar(128) not null,
  created_at timestamptz not null
)
""",
    "create index if not exists delivery_key_of_owner on delivery_key (owner, id)",
    """
create table if not exists rendition (
  id uuid primary key not null,
  owner integer references piccolo_user (id) on delete cascade,
  image uuid references image (id) on delete cascade,
  preset varchar(63),
  digest varchar(40) not null unique,
  object_key varchar(512) not null,
  ready boolean not null,
  lease_until timestamptz,
  format varchar(16) not null,
  mime varchar(64) not null,
  width integer not null,
  height integer not null,
  size_bytes bigint not null,
  md5 varchar(32) not null,
  used_at timestamptz not null,
  created_at timestamptz not null
)
""",
    "create index if not exists rendition_of_image on rendition (image)",
    "create index if not exists rendition_of_preset on rendition (owner, preset)",
    "create index if not exists rendition_used on rendition (used_at)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
