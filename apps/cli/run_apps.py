"""`darkroom serve`, `api`, `delivery`, `worker`, `scheduler`: the apps, together or each in its process."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from apps.cli.bootstrap import run_service
from apps.cli.observation import observed
from libs.settings import Settings

if TYPE_CHECKING:
    from libs.backends import Backends


@click.command()
def serve() -> None:
    """Run API, delivery, worker and scheduler in one process.

    By default it needs no other server and keeps its data in ./data. Stop it with Ctrl-C.
    """
    from apps.embedded.serve import serve as serve_all

    async def run(settings: Settings, stop: asyncio.Event) -> None:
        _announce(settings)
        with observed(settings, "serve"):
            await serve_all(settings, stop)

    run_service(run)


@click.command()
def api() -> None:
    """Run the HTTP API alone."""
    from apps.api.server import serve_api
    from apps.delivery.server import delivering
    from libs.delivery.address import PREFIX

    async def run(backends: "Backends", stop: asyncio.Event) -> None:
        if not backends.settings.delivery_in_api:
            await serve_api(backends, stop)
            return
        async with delivering(backends) as deliver:
            await serve_api(backends, stop, mounted={PREFIX: deliver})

    _run_alone("api", run)


@click.command()
def delivery() -> None:
    """Run the delivery of images by URL alone; start as many as you need. It uses no broker."""
    from apps.delivery.server import serve_delivery
    from libs.backends import open_backends

    async def run(settings: Settings, stop: asyncio.Event) -> None:
        with observed(settings, "delivery"):
            async with open_backends(replace(settings, broker_url="memory://")) as backends:
                await serve_delivery(backends, stop)

    run_service(run)


@click.command()
def worker() -> None:
    """Run a worker alone; start as many as you need."""
    from apps.worker.consumer import Worker

    async def run(backends: "Backends", stop: asyncio.Event) -> None:
        async with Worker(backends).running():
            await stop.wait()

    _run_alone("worker", run)


@click.command()
def scheduler() -> None:
    """Run the scheduler alone; a second one does no harm."""
    from apps.scheduler.scheduler import scheduling

    async def run(backends: "Backends", stop: asyncio.Event) -> None:
        async with scheduling(backends):
            await stop.wait()

    _run_alone("scheduler", run)


def _run_alone(name: str, app: Callable[["Backends", asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run one app until a signal; refuse a broker that other processes cannot reach."""
    from libs.backends import open_backends

    async def run(settings: Settings, stop: asyncio.Event) -> None:
        if settings.embedded:
            raise click.ClickException(
                f"`darkroom {name}` shares jobs with other processes, and memory:// keeps them inside one: "
                "set DARKROOM_BROKER_URL=amqp://..., or run `darkroom serve` for everything in one process"
            )
        with observed(settings, name):
            async with open_backends(settings) as backends:
                await app(backends, stop)

    run_service(run)


def _announce(settings: Settings) -> None:
    url = settings.public_url or f"http://{settings.host}:{settings.port}"
    click.echo(f"Darkroom starts at {url}")
    for name, where in (
        ("API docs", f"{url}/schema"),
        ("admin", f"{url}/admin/"),
        ("data", settings.data_dir),
    ):
        click.echo(f"  {name:<9} {where}")
