"""`darkroom create-user` and `darkroom create-admin`: accounts, whatever the setting for registration."""

import click
import msgspec

from apps.cli.bootstrap import run_command
from apps.cli.read_password import read_password
from libs.contracts.decode_errors import convert_value
from libs.contracts.views.accounts import Register
from libs.settings import Settings

USERNAME = click.option("--username", required=True, help="Name to log in with.")
PASSWORD = click.option(
    "--password",
    help="Password to log in with, 8 to 128 characters. Others see it in the list of processes.",
)
EMAIL = click.option("--email", help="Address of the account.  [default: USERNAME@localhost]")


@click.command()
@USERNAME
@PASSWORD
@EMAIL
def create_user(username: str, password: str | None, email: str | None) -> None:
    """Create an account.

    Without --password, a terminal is asked for it twice; in a pipe it is the first line of standard input.
    Upgrades the database schema first.
    """
    _create(username, password, email, admin=False)
    click.echo(f"account {username} created")


@click.command()
@USERNAME
@PASSWORD
@EMAIL
def create_admin(username: str, password: str | None, email: str | None) -> None:
    """Create an account for the admin pages.

    Without --password, a terminal is asked for it twice; in a pipe it is the first line of standard input.
    Upgrades the database schema first.
    """
    _create(username, password, email, admin=True)
    click.echo(f"admin {username} created")


def _create(username: str, password: str | None, email: str | None, *, admin: bool) -> None:
    account = _checked(username, email or f"{username}@localhost", password or read_password())
    from libs.storage import audit
    from libs.storage.accounts import register
    from libs.storage.database.connection import open_database
    from libs.storage.database.migrate import migrate

    async def run(settings: Settings) -> None:
        async with open_database(settings.database_url) as engine:
            await migrate(engine)
            user = await register(account.username, account.email, account.password, admin=admin)
            detail = f"{username}, an operator" if admin else username
            await audit.add(audit.shell_user(), "account.create", user.id, detail=detail)

    run_command(run)


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
