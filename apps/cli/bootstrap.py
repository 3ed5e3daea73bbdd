"""From the environment to a command that runs to its end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import click

from libs.runtime.logs import configure_logs
from libs.settings import Settings, SettingsError, load_settings


def run_with(run: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run a command on the settings; the log goes to standard error."""
    try:
        settings = load_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    configure_logs(settings.log_format)
    asyncio.run(run(settings))
