"""The program that each login was made with, so that its owner recognises it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import RefreshToken

ID = "0024-login-clients"
VERSION = "1.38.0"
DESCRIPTION = "The program of each login"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        await RefreshToken.raw("alter table refresh_token add column user_agent varchar(200) null")

    manager.add_raw(run)
    return manager
