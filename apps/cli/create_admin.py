"""`darkroom create-admin`: an account that may use the admin pages."""

import sys

import click
import msgspec

from apps.cli.bootstrap import run_command
from libs.contracts.decode_errors import convert_value
from libs.contracts.views.accounts import Register
from libs.settings import Settings


@click.command()
@click.option("--username", required=True, help="Name to sign in with.")
@click.option(
    "--password",
    help="Password to sign in with, 8 to 128 characters. Others see it in the list of processes.",
)
@click.option("--email", help="Address of the account.  [default: USERNAME@localhost]")
def create_admin(username: str, password: str | None, email: str | None) -> None:
    """Create an account for the admin pages.

    Without --password, a terminal is asked for it twice; in a pipe it is the first line of standard input.
    Upgrades the database schema first.
    """
    account = _checked(username, email or f"{username}@localhost", password or _read_password())
    from libs.storage.accounts import register
    from libs.storage.database.connection import open_database
    from libs.storage.database.migrate import migrate

    async def run(settings: Settings) -> None:
        async with open_database(settings.database_url) as engine:
            await migrate(engine)
            await register(account.username, account.email, account.password, admin=True)

    run_command(run)
    click.echo(f"admin {username} created")


def _read_password() -> str:
    if sys.stdin.isatty():
        return click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return sys.stdin.readline().rstrip("\r\n")


def _checked(username: str, email: str, password: str) -> Register:
    """Apply the rules of registration.

    Raises:
        click.UsageError: A value breaks one.
    """
    try:
        return convert_value({"username": username, "email": email, "password": password}, Register)
    except msgspec.ValidationError as error:
        message, _, field = str(error).partition(" - at `$.")
        raise click.BadParameter(message, param_hint=f"--{field.rstrip('`')}") from error
