"""`darkroom migrate`: the database schema brought up to date."""

import click

from apps.cli.bootstrap import run_command
from libs.settings import Settings


@click.command()
@click.option("--wait", is_flag=True, help="Wait until another process has done it, and change nothing.")
def migrate(*, wait: bool) -> None:
    """Create or upgrade the database schema; safe to run again, and several times at once.

    `darkroom serve` does this by itself; before `api`, `worker` and `scheduler` run it once per version.
    """
    from libs.storage.database.connection import open_database
    from libs.storage.database.migrate import migrate as upgrade
    from libs.storage.database.migrate import until_migrated

    async def run(settings: Settings) -> None:
        async with open_database(settings.database_url) as engine:
            await (until_migrated() if wait else upgrade(engine))

    run_command(run)
