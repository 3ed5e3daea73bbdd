"""The command `darkroom`: its commands, put together."""

from collections.abc import Mapping, Sequence

import click

from apps.cli.backup import backup, restore
from apps.cli.bootstrap import defer_garbage_collection
from apps.cli.check import check
from apps.cli.compare import compare
from apps.cli.create_account import create_admin, create_user
from apps.cli.create_key import create_key
from apps.cli.dead_letters import dead_letters
from apps.cli.describe import describe
from apps.cli.doctor import doctor
from apps.cli.migrate import migrate
from apps.cli.operations import operations
from apps.cli.process import process
from apps.cli.rehash import rehash
from apps.cli.reset_password import reset_password
from apps.cli.run_apps import api, delivery, scheduler, serve, worker
from libs import __version__

SECTIONS: Mapping[str, Sequence[click.Command]] = {
    "Run Darkroom": (serve, api, delivery, worker, scheduler),
    "Operate an installation": (
        check,
        migrate,
        backup,
        restore,
        create_user,
        create_admin,
        create_key,
        reset_password,
        doctor,
        dead_letters,
        rehash,
    ),
    "Work on local files": (process, describe, compare, operations),
}


class CommandsBySection(click.Group):
    """A group whose help lists its commands by section, in the order given."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Replace click's one alphabetical list."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(command.name or "", command.get_short_help_str(limit=100)) for command in commands]
                )


@click.group(cls=CommandsBySection)
@click.version_option(__version__)
def main() -> None:
    """Darkroom, a self-hosted image platform.

    Settings are environment variables named DARKROOM_...; .env.example lists all of them.
    """
    defer_garbage_collection()


for commands in SECTIONS.values():
    for command in commands:
        main.add_command(command)
