"""Tags, transparency and cameras of images, and indexes for each filter and order of their list.

The database itself keeps `image_tag`, whichever statement writes an image; an image that is being deleted is
not in it. The expressions of the indexes are those of `libs.storage.image_list`.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.postgres import PostgresEngine

from libs.storage.database.tables import Image

ID = "0018-finding"
VERSION = "1.38.0"
DESCRIPTION = "Tags, transparency and cameras of images"

COLUMNS = (
    "alter table image add column has_alpha boolean",
    "alter table image add column camera varchar(200)",
    "alter table image add column tags text not null default '[]'",
)
TAGS = """
create table if not exists image_tag (
  owner integer not null references piccolo_user (id) on delete cascade,
  tag text not null,
  image uuid not null,
  primary key (owner, tag, image)
)
"""
POSTGRES_TAGS = (
    TAGS,
    """
create or replace function image_tags() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    delete from image_tag where owner = old.owner and image = old.id
      and tag in (select json_array_elements_text(old.tags::json));
  end if;
  if tg_op <> 'DELETE' then
    insert into image_tag (owner, tag, image)
    select new.owner, json_array_elements_text(new.tags::json), new.id where new.status <> 'deleting'
    on conflict do nothing;
  end if;
  return null;
end $$
""",
    """
create trigger image_tags_inserted after insert on image
for each row when (new.tags <> '[]') execute function image_tags()
""",
    """
create trigger image_tags_updated after update of tags, status, owner on image
for each row when (old.tags <> '[]' or new.tags <> '[]') execute function image_tags()
""",
    """
create trigger image_tags_deleted after delete on image
for each row when (old.tags <> '[]') execute function image_tags()
""",
)
SQLITE_DELETE = """
delete from image_tag where owner = old.owner and image = old.id
  and tag in (select value from json_each(old.tags));
"""
SQLITE_INSERT = """
insert or ignore into image_tag (owner, tag, image)
select new.owner, value, new.id from json_each(new.tags) where new.status <> 'deleting';
"""
SQLITE_TAGS = (
    f"{TAGS.strip()} without rowid",
    "create trigger if not exists image_tags_inserted after insert on image"
    f" when new.tags <> '[]' begin {SQLITE_INSERT} end",
    "create trigger if not exists image_tags_updated after update of tags, status, owner on image"
    f" when old.tags <> '[]' or new.tags <> '[]' begin {SQLITE_DELETE} {SQLITE_INSERT} end",
    "create trigger if not exists image_tags_deleted after delete on image"
    f" when old.tags <> '[]' begin {SQLITE_DELETE} end",
)
# `image_listed` has what filters read that no other index finds, and all have the status, so that a page is
# found without reading the rows.
INDEXES = (
    "create index if not exists image_listed on image"
    " (owner, id, status, filename, size_bytes, created_at, has_alpha, camera)",
    "create index if not exists image_created on image (owner, created_at, id, status)",
    "create index if not exists image_name on image (owner, lower(filename COLLATE), id, status)",
    "create index if not exists image_size on image (owner, size_bytes, id, status)",
    "create index if not exists image_source_url on image (owner, substr(source_url, 1, 200), id)"
    " where source_url is not null",
    "create index if not exists image_alpha on image (owner, has_alpha, id, status) where has_alpha is not null",
)
FILL = """
update image set has_alpha = described.has_alpha, camera = nullif(substr(
    case when substr(model, 1, length(make)) = make then model else trim(make || ' ' || model) end, 1, 200), '')
from (
  select id as image_id, cast(metadata ->> 'has_alpha' as boolean) as has_alpha,
    trim(coalesce(metadata -> 'exif' ->> 'make', '')) as make,
    trim(coalesce(metadata -> 'exif' ->> 'model', '')) as model
  from image where metadata is not null READABLE
) described where image.id = described.image_id
"""
# PostgreSQL reads no JSON with this character; `darkroom rehash` describes such images again.
POSTGRES_READABLE = r"and position('\u0000' in metadata::text) = 0"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        on_postgres = isinstance(Image._meta.db, PostgresEngine)
        tags = POSTGRES_TAGS if on_postgres else SQLITE_TAGS
        fill = FILL.replace("READABLE", POSTGRES_READABLE if on_postgres else "")
        indexes = [index.replace(" COLLATE", ' collate "C"' if on_postgres else "") for index in INDEXES]
        for statement in (*COLUMNS, *tags, fill, *indexes):
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
