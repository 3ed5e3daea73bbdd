"""`darkroom backup` and `darkroom restore`: an installation in a folder, and back."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from apps.cli.bootstrap import run_command
from libs.settings import Settings

if TYPE_CHECKING:
    from libs.backup.manifest import Manifest

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--no-objects",
    is_flag=True,
    help="List the objects with their digests, without copies: for a store that has backups of its own.",
)
def backup(folder: Path, *, no_objects: bool) -> None:
    """Write database and objects to an empty FOLDER, while everything runs.

    Secrets are not in it: keep DARKROOM_SECRET_KEY and DARKROOM_DELIVERY_KEYS too.
    """
    from libs.backends import open_backends
    from libs.backup import write_backup
    from libs.storage import audit
    from libs.storage.database.operator_tables import AuditEntry

    async def run(settings: Settings) -> "Manifest":
        async with open_backends(settings, declare=False) as backends:
            manifest = await write_backup(folder, backends, with_objects=not no_objects)
            if await AuditEntry.table_exists():  # not in the database of an earlier release
                await audit.add(audit.shell_user(), "site.backup", "site", detail=str(folder))
            return manifest

    _print("backed up", run_command(run))


@click.command()
@click.argument("folder", type=FOLDER)
def restore(folder: Path) -> None:
    """Check the backup in FOLDER, and fill an empty database and object store from it.

    The database is then migrated to this version. Nothing is changed when a file is missing or differs.
    """
    from libs.backends import open_backends
    from libs.backup import restore as restore_backup
    from libs.storage import audit

    async def run(settings: Settings) -> "Manifest":
        async with open_backends(settings, declare=False) as backends:
            manifest = await restore_backup(folder, backends)
            await audit.add(audit.shell_user(), "site.restore", "site", detail=str(folder))
            return manifest

    _print("restored", run_command(run))


def _print(what: str, manifest: "Manifest") -> None:
    rows = sum(table.rows for table in manifest.database.tables)
    click.echo(
        f"{what}: {rows} rows, {manifest.objects} objects, {manifest.object_bytes} bytes "
        f"(Darkroom {manifest.darkroom}, {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC)"
    )
    if manifest.vanished:
        click.echo(
            f"{manifest.vanished} objects were deleted meanwhile: `darkroom doctor --mend` after a restore "
            "removes their rows",
            err=True,
        )
