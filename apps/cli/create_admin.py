"""`darkroom create-admin`: an account that may use the admin pages."""

import click

from apps.cli.bootstrap import run_command
from libs.settings import Settings


@click.command()
@click.option("--username", required=True, help="Name to sign in with.")
@click.option("--password", required=True, help="Password to sign in with.")
@click.option("--email", help="Address of the account.  [default: USERNAME@localhost]")
def create_admin(username: str, password: str, email: str | None) -> None:
    """Create an account for the admin pages.

    Upgrades the database schema first.
    """
    from libs.storage.accounts import register
    from libs.storage.database.connection import open_database
    from libs.storage.database.migrate import migrate

    async def run(settings: Settings) -> None:
        async with open_database(settings.database_url) as engine:
            await migrate(engine)
            await register(username, email or f"{username}@localhost", password, admin=True)

    run_command(run)
    click.echo(f"admin {username} created")
