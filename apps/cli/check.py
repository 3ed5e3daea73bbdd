"""`darkroom check`: the health of all backends, free space, and what the site has set aside."""

from typing import TYPE_CHECKING

import click

from apps.cli.bootstrap import run_command
from libs.settings import Settings

if TYPE_CHECKING:
    from libs.storage.set_aside import Item

SHOWN = 100


@click.command()
def check() -> None:
    """Check that database, object store and broker answer, and that the disks have space left.

    Exits with 0 if all checks pass, else with 1. It also says whether the database has the tables of this
    version, and lists what the site has set aside because it keeps failing, with the reason; neither changes
    the exit code.
    """
    from libs.backends import open_backends

    async def run(settings: Settings) -> None:
        # Do not declare: a user without that right would cause an error in the broker's log each time.
        async with open_backends(settings, declare=False) as backends:
            found = await backends.health()
            has_tables = found.database == "ok" and await _has_tables()
            items = await _set_aside() if has_tables else []
        for name in ("database", "objects", "broker", "disk"):
            click.echo(f"{name:<9} {getattr(found, name)}")
        if found.database == "ok" and not has_tables:
            click.echo("tables    not those of this version: run `darkroom migrate`")
        for item in items:
            click.echo(f"set aside {item.kind} {item.id} after {item.attempts} attempts: {item.reason}")
        if found.status != "ok":
            raise click.exceptions.Exit(1)

    run_command(run)


async def _has_tables() -> bool:
    from libs.storage.database.errors import DatabaseUnavailable
    from libs.storage.database.migrate import is_migrated

    try:
        return await is_migrated()
    except DatabaseUnavailable:
        return False


async def _set_aside() -> "list[Item]":
    from libs.storage import set_aside
    from libs.storage.database.errors import DatabaseUnavailable

    try:
        return await set_aside.oldest(SHOWN)
    except DatabaseUnavailable:
        return []
