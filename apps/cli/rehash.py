"""`darkroom rehash`: hashes and metadata for images that lack them or have earlier ones."""

import asyncio

import click

from apps.cli.bootstrap import run_service
from libs.settings import Settings


@click.command()
def rehash() -> None:
    """Compute missing hashes and metadata of stored images, and hashes of earlier versions again.

    Run it after an upgrade that changes the hashes; the changelog says which do. Safe while Darkroom runs.
    Ctrl-C stops it; run it again to continue. Exits with 1 if images remain without today's hash, because
    their files cannot be read or the command was stopped.
    """
    from libs.backends import open_backends
    from libs.images import rehash as images_rehash
    from libs.storage import audit
    from libs.storage.database.migrate import migrate
    from libs.storage.image_descriptions import count_undescribed

    async def run(settings: Settings, stop: asyncio.Event) -> None:
        async with open_backends(settings) as backends:
            await migrate(backends.database)
            await audit.add(audit.shell_user(), "site.rehash", "site")
            count = await count_undescribed()
            with click.progressbar(length=count, label="Describing", show_pos=True) as bar:
                counts = await images_rehash.rehash(backends, stop, bar.update)
        stopped = "; stopped, run it again to continue" if stop.is_set() else ""
        click.echo(f"{counts.done} described, {counts.failed} failed{stopped}")
        if counts.failed or stop.is_set():
            raise click.exceptions.Exit(1)

    run_service(run)
