"""`darkroom create-key`: an API key of an account, made without its password."""

from collections.abc import Sequence

import click
import msgspec

from apps.cli.bootstrap import run_command
from libs.contracts.decode_errors import convert_value
from libs.contracts.enums import Scope
from libs.contracts.views.accounts import Username
from libs.contracts.views.api_keys import ApiKeyRequest
from libs.settings import Settings


@click.command()
@click.option("--username", required=True, help="Account that the key acts for.")
@click.option("--new-account", is_flag=True, help="Create the account; nobody can log in to it.")
@click.option("--name", default="command line", show_default=True, help="What the key is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="Repeatable.  [default: all]",
)
@click.option("--network", "networks", multiple=True, help="Network that it may be used from, repeatable.")
@click.option("--expires-at", help="Time of its end, such as 2027-01-31T00:00:00Z.  [default: never]")
def create_key(
    username: str,
    new_account: bool,
    name: str,
    scopes: Sequence[Scope],
    networks: Sequence[str],
    expires_at: str | None,
) -> None:
    """Create an API key and print it. It is not stored, and not shown again.

    Upgrades the database schema first.
    """
    requested = _checked(
        {
            "name": name,
            "scopes": [*(scopes or Scope)],
            "networks": [*networks],
            "expires_at": expires_at,
        }
    )
    _check_username(username)
    from libs.auth.api_keys import new_key
    from libs.storage import accounts, api_keys, audit
    from libs.storage.database.connection import open_database, transaction
    from libs.storage.database.migrate import migrate

    async def run(settings: Settings) -> str:
        async with open_database(settings.database_url) as engine:
            await migrate(engine)
            if new_account:
                owner = await accounts.register(username, f"{username}@localhost", None)
                await audit.add(audit.shell_user(), "account.create", owner.id, detail=username)
            elif (owner := await accounts.named(username)) is None:
                raise click.BadParameter(
                    f"there is no account {username}; --new-account creates it", param_hint="--username"
                )
            key = new_key()
            async with transaction():
                made = await api_keys.create(owner.id, requested, key_id=key.id, digest=key.digest)
                await audit.add(
                    audit.shell_user(), "key.create", made.id, detail=f"{name} of {owner.username}"
                )
            return key.text

    click.echo(run_command(run))


def _checked(given: dict[str, object]) -> ApiKeyRequest:
    """Apply the rules of the API.

    Raises:
        click.BadParameter: A value breaks one.
    """
    try:
        return convert_value(given, ApiKeyRequest)
    except msgspec.ValidationError as error:
        message, _, field = str(error).partition(" - at `$.")
        hint = field.rstrip("`").partition("[")[0].replace("_", "-").removesuffix("s")
        raise click.BadParameter(message, param_hint=f"--{hint}" if hint else None) from error


def _check_username(username: str) -> None:
    try:
        convert_value(username, Username)
    except msgspec.ValidationError as error:
        raise click.BadParameter(str(error), param_hint="--username") from error
