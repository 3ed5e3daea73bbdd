"""The command `darkroom`."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import click
import uvloop

from apps.cli.dead_letters import dead_letters
from apps.cli.doctor import doctor
from apps.cli.files import compare, describe, process
from libs import __version__
from libs.runtime.logs import configure_logs
from libs.runtime.signals import stop_signal
from libs.settings import Settings, SettingsError, load_settings

Main = Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]

RUNNING = gc.get_threshold()
LOADING = 100_000  # objects until the next collection: modules that are being loaded are no garbage


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Darkroom, a self-hosted image platform."""
    gc.set_threshold(LOADING)


@main.command()
def serve() -> None:
    """Run API, worker and scheduler in one process."""
    from apps.embedded.serve import AlreadyRunning
    from apps.embedded.serve import serve as run

    settings = _settings()
    at = settings.public_url or f"http://{settings.host}:{settings.port}"
    click.echo(f"Darkroom starts at {at}")
    for what, where in (("API docs", f"{at}/schema"), ("admin", f"{at}/admin/"), ("data", settings.data_dir)):
        click.echo(f"  {what:<9} {where}")
    try:
        _run(settings, run)
    except AlreadyRunning as error:
        raise click.ClickException(str(error)) from error


@main.command()
def api() -> None:
    """Run the HTTP API alone."""
    from apps.api.server import serve_api
    from libs.backends import open_backends

    async def run(settings: Settings, stop: asyncio.Event) -> None:
        async with open_backends(settings) as backends:
            await serve_api(backends, stop)

    _run(_distributed(_settings(), "api"), run)


@main.command()
def worker() -> None:
    """Run a worker alone; any number may run."""
    from apps.worker.consumer import Worker
    from libs.backends import open_backends

    async def run(settings: Settings, stop: asyncio.Event) -> None:
        async with open_backends(settings) as backends, Worker(backends).running():
            await stop.wait()

    _run(_distributed(_settings(), "worker"), run)


@main.command()
def scheduler() -> None:
    """Run the scheduler alone; a second one does no harm."""
    from apps.scheduler.scheduler import scheduling
    from libs.backends import open_backends

    async def run(settings: Settings, stop: asyncio.Event) -> None:
        async with open_backends(settings) as backends, scheduling(backends):
            await stop.wait()

    _run(_distributed(_settings(), "scheduler"), run)


@main.command()
def check() -> None:
    """Ask database, object store and broker whether they serve; the exit status is 0 when all do."""
    from libs.backends import open_backends
    from libs.jobs.health import health
    from libs.storage.database.engine import UNAVAILABLE

    async def ask(settings: Settings, _: asyncio.Event) -> None:
        try:
            # A user who may declare nothing would leave an error in the broker's log, every minute.
            async with open_backends(settings, declare=False) as backends:
                found = await health(backends)
        except UNAVAILABLE as error:
            raise click.ClickException(f"the database does not serve: {error}") from error
        for name in ("database", "objects", "broker"):
            click.echo(f"{name:<9} {getattr(found, name)}")
        if found.status != "ok":
            raise click.exceptions.Exit(1)

    _run(_settings(), ask)


@main.command()
def migrate() -> None:
    """Bring the database up to date."""
    from libs.storage.database.connection import migrate as run
    from libs.storage.database.connection import open_database

    async def upgrade(settings: Settings, _: asyncio.Event) -> None:
        async with open_database(settings.database_url) as engine:
            await run(engine)

    _run(_settings(), upgrade)


@main.command()
@click.option("--username", required=True)
@click.option("--password", required=True)
@click.option("--email", default=None, help="USERNAME@localhost if left out.")
def create_admin(username: str, password: str, email: str | None) -> None:
    """Make an account for the admin pages."""
    from libs.storage.accounts import AccountError, register
    from libs.storage.database.connection import migrate as upgrade
    from libs.storage.database.connection import open_database

    async def create(settings: Settings, _: asyncio.Event) -> None:
        async with open_database(settings.database_url) as engine:
            await upgrade(engine)
            await register(username, email or f"{username}@localhost", password, admin=True)

    try:
        _run(_settings(), create)
    except AccountError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"admin {username} created")


@main.command()
def rehash() -> None:
    """Describe again all images whose hash or metadata is missing; may be stopped and started again.

    Exits with 1 when some are left: their files cannot be read, or it was stopped.
    """
    from apps.worker.rehash import rehash as run
    from libs.backends import open_backends
    from libs.storage.database.connection import migrate as upgrade
    from libs.storage.images import count_undescribed

    async def describe(settings: Settings, stop: asyncio.Event) -> None:
        async with open_backends(settings) as backends:
            await upgrade(backends.database)
            count = await count_undescribed()
            with click.progressbar(length=count, label="Describing", show_pos=True) as bar:
                ended = await run(backends, stop, bar.update)
        stopped = "; stopped, run it again to go on" if stop.is_set() else ""
        click.echo(f"{ended.done} described, {ended.failed} failed{stopped}")
        if ended.failed or stop.is_set():
            raise click.exceptions.Exit(1)

    _run(_settings(), describe)


for command in (process, describe, compare, dead_letters, doctor):
    main.add_command(command)


def _settings() -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    configure_logs(settings.log_format)
    return settings


def _distributed(settings: Settings, app: str) -> Settings:
    if settings.embedded:
        raise click.ClickException(
            f"`darkroom {app}` shares its jobs with other processes, and memory:// cannot leave this one: "
            "set DARKROOM_BROKER_URL=amqp://..., or run `darkroom serve` for everything in one process"
        )
    return settings


def _run(settings: Settings, run: Main) -> None:
    async def until_stopped() -> None:
        gc.collect()
        gc.freeze()  # what was imported stays: no collection need look at it again
        gc.set_threshold(*RUNNING)
        await run(settings, stop_signal())

    uvloop.run(until_stopped())
