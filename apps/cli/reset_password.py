"""`darkroom reset-password`: another password for an account whose owner has lost it."""

import click
import msgspec

from apps.cli.bootstrap import run_command
from apps.cli.read_password import read_password
from libs.contracts.decode_errors import convert_value
from libs.contracts.views.accounts import NewPassword
from libs.settings import Settings

HOUR_S = 3600


@click.command()
@click.argument("username")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the new password from standard input.")
def reset_password(username: str, from_stdin: bool) -> None:
    """Print an address where the account USERNAME gets another password.

    The address works once, for an hour. With --stdin, the password is set at once; a terminal is asked for it
    twice. A new password ends all logins of the account; its API keys stay valid.
    """
    password = _checked(read_password()) if from_stdin else None
    from libs.auth.password_resets import sign_reset
    from libs.storage import accounts, audit, passwords
    from libs.storage.database.connection import open_database, transaction

    async def run(settings: Settings) -> str:
        async with open_database(settings.database_url):
            user = await accounts.named(username)
            if user is None:
                raise click.BadParameter(f"there is no account {username}", param_hint="USERNAME")
            async with transaction():
                if password is not None:
                    await passwords.replace(user, password)
                await audit.add(audit.shell_user(), "account.reset_password", user.id, detail=username)
            if password is not None:
                return f"password of {username} set"
            token = sign_reset(settings.secret_key, user.id, user.password, ttl_s=HOUR_S)
            address = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
            return f"{address}/accounts/reset/{token}"

    click.echo(run_command(run))


def _checked(password: str) -> str:
    try:
        return convert_value({"password": password}, NewPassword).password
    except msgspec.ValidationError as error:
        raise click.UsageError(str(error).partition(" - at ")[0]) from error
