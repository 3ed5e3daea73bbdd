"""What every command does around its own work: settings, logs, an event loop, errors without a traceback."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, TypeVar

import click
import uvloop

from libs.contracts.outcome import outcome_of
from libs.runtime.background import cancel_and_wait
from libs.runtime.logs import configure_logs
from libs.runtime.signals import stop_signal
from libs.settings import Settings, SettingsError, load_settings

T = TypeVar("T")
Command: TypeAlias = Callable[[Settings], Coroutine[Any, Any, T]]
Service: TypeAlias = Callable[[Settings, asyncio.Event], Coroutine[Any, Any, T]]

GC_THRESHOLD = gc.get_threshold()
GC_THRESHOLD_IMPORTING = 100_000  # objects; modules that are being imported are no garbage


def defer_garbage_collection() -> None:
    """Collect almost no garbage until the event loop starts: importing is an eighth faster without."""
    gc.set_threshold(GC_THRESHOLD_IMPORTING)


def run_command(command: Command[T], *, with_secret: bool = True) -> T:
    """Run a command to its end and return its result; SIGINT and SIGTERM cancel it.

    Args:
        command: Gets the settings.
        with_secret: False for a command that signs nothing and must not create the data directory.

    Raises:
        click.ClickException: The settings are wrong, or the command raised an error that has an `outcome`.
        click.Abort: A signal ended it.
    """

    async def run(settings: Settings, stop: asyncio.Event) -> T:
        return await _until_signal(command(settings), stop)

    return run_service(run, with_secret=with_secret)


def run_service(service: Service[T], *, with_secret: bool = True) -> T:
    """Run a command that ends by itself, in order, once its event is set by SIGINT or SIGTERM.

    Raises:
        click.ClickException: The settings are wrong, or the service raised an error that has an `outcome`.
    """
    settings = _read_settings(with_secret=with_secret)

    async def run() -> T:
        gc.collect()
        gc.freeze()  # imported modules stay: no collection need look at them again
        gc.set_threshold(*GC_THRESHOLD)
        return await service(settings, stop_signal(settings.drain_s))

    try:
        return uvloop.run(run())
    except Exception as error:
        if outcome_of(error) is None:
            raise
        code = getattr(error, "code", type(error).__name__)
        raise click.ClickException(f"{error} ({code})") from error


def _read_settings(*, with_secret: bool) -> Settings:
    try:
        settings = load_settings(with_secret=with_secret)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    configure_logs(settings.log_format)
    return settings


async def _until_signal(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T:
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await cancel_and_wait(working if stop.is_set() else stopping)
    if working.cancelled():
        raise click.Abort
    return await working
