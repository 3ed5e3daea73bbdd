"""The bands of every perceptual hash, kept by the database itself whichever statement writes an image."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.postgres import PostgresEngine

from libs.storage.database.tables import Image

ID = "0004-phash-bands"
VERSION = "1.38.0"
DESCRIPTION = "Bands of perceptual hashes"

COLUMNS = """
create table if not exists phash_band (
  owner integer not null references piccolo_user (id) on delete cascade,
  band smallint not null,
  value integer not null,
  phash bigint not null,
  image {UUID} not null
"""
# The primary key carries the hash along: a probe reads the index and nothing else.
POSTGRES = (
    COLUMNS.replace("{UUID}", "uuid") + ", primary key (owner, band, value, image) include (phash))",
    """
create or replace function phash_bands() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' and old.phash is not null then
    delete from phash_band where owner = old.owner and image = old.id and (band, value) in (
      select band, (old.phash >> (48 - 16 * band)) & 65535 from generate_series(0, 3) band);
  end if;
  if tg_op <> 'DELETE' and new.phash is not null then
    insert into phash_band (owner, band, value, phash, image)
    select new.owner, band, (new.phash >> (48 - 16 * band)) & 65535, new.phash, new.id
    from generate_series(0, 3) band on conflict do nothing;
  end if;
  return null;
end $$
""",
    "drop trigger if exists image_phash_written on image",
    """
create trigger image_phash_written after insert or delete or update of phash, owner on image
for each row execute function phash_bands()
""",
)
SQLITE_DELETE = """
delete from phash_band where owner = old.owner and image = old.id and (
  (band = 0 and value = (old.phash >> 48) & 65535) or (band = 1 and value = (old.phash >> 32) & 65535) or
  (band = 2 and value = (old.phash >> 16) & 65535) or (band = 3 and value = old.phash & 65535));
"""
SQLITE_INSERT = """
insert or ignore into phash_band (owner, band, value, phash, image)
select new.owner, band, (new.phash >> (48 - 16 * band)) & 65535, new.phash, new.id
from (select 0 as band union all select 1 union all select 2 union all select 3) where new.phash is not null;
"""
SQLITE = (
    COLUMNS.replace("{UUID}", "uuid") + ", primary key (owner, band, value, image)) without rowid",
    f"create trigger if not exists image_phash_inserted after insert on image begin {SQLITE_INSERT} end",
    f"create trigger if not exists image_phash_deleted after delete on image begin {SQLITE_DELETE} end",
    "create trigger if not exists image_phash_updated after update of phash, owner on image begin"
    f" {SQLITE_DELETE} {SQLITE_INSERT} end",
)
FILL = """
insert into phash_band (owner, band, value, phash, image)
select owner, band, (phash >> (48 - 16 * band)) & 65535, phash, id
from image, (select 0 as band union all select 1 union all select 2 union all select 3) bands
where phash is not null on conflict do nothing
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        statements = POSTGRES if isinstance(Image._meta.db, PostgresEngine) else SQLITE
        for statement in (*statements, FILL):
            await Image.raw(statement.strip())

    manager.add_raw(run)
    return manager
