"""The names of deleted and renamed accounts, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import Image

ID = "0014-former-usernames"
VERSION = "1.38.0"
DESCRIPTION = "The names of deleted and renamed accounts"

STATEMENT = """
create table if not exists former_username (
  username varchar(100) not null primary key,
  account integer not null
)
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        await Image.raw(STATEMENT.strip())

    manager.add_raw(run)
    return manager
