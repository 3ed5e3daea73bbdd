"""`darkroom migrate`: the database schema brought up to date."""

import click

from apps.cli.bootstrap import run_command
from libs.settings import Settings


@click.command()
def migrate() -> None:
    """Create or upgrade the database schema; safe to run again.

    `darkroom serve` does this by itself; before `api`, `worker` and `scheduler` run it once per version.
    """
    from libs.storage.database.connection import open_database
    from libs.storage.database.migrate import migrate as upgrade

    async def run(settings: Settings) -> None:
        async with open_database(settings.database_url) as engine:
            await upgrade(engine)

    run_command(run)
