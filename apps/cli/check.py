"""`darkroom check`: the health of database, object store and broker, and free space."""

import click

from apps.cli.bootstrap import run_command
from libs.settings import Settings


@click.command()
def check() -> None:
    """Check that database, object store and broker answer, and that the disks have space left.

    Exits with 0 when all of it is so, else with 1.
    """
    from libs.backends import open_backends

    async def run(settings: Settings) -> None:
        # Do not declare: a user without that right would cause an error in the broker's log each time.
        async with open_backends(settings, declare=False) as backends:
            found = await backends.health()
        for name in ("database", "objects", "broker", "disk"):
            click.echo(f"{name:<9} {getattr(found, name)}")
        if found.status != "ok":
            raise click.exceptions.Exit(1)

    run_command(run)
