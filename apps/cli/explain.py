"""`darkroom process --explain`: print the plan for each photo."""

from collections.abc import Sequence
from pathlib import Path

import click

from apps.cli.render_file import check_size
from apps.cli.render_pool import render_pool
from libs.imaging.errors import ImagingError
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import explain
from libs.runtime.process_pool import ProcessPool, RenderError
from libs.settings import Settings


async def explain_photos(
    paths: Sequence[Path], operations: tuple[AnyOperation, ...], settings: Settings, count: int
) -> bool:
    """Print the plan for each photo; return whether all have one."""
    ok = True
    async with render_pool(settings, min(count, len(paths)), few=len(paths) == 1) as processes:
        for path in paths:
            click.echo(path)
            try:
                lines = await _plan(path, operations, settings, processes)
            except (ImagingError, RenderError) as error:
                ok = False
                lines = [f"{error.code}: {error}"]
            for line in lines:
                click.echo(f"  {line}")
    return ok


async def _plan(
    path: Path, operations: tuple[AnyOperation, ...], settings: Settings, processes: ProcessPool
) -> list[str]:
    check_size(path, settings.max_upload_bytes)
    plan = await processes.run(settings.job_timeout_s, explain, path, operations, settings.image_limits)
    return plan.lines()
