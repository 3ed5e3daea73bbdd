"""Render many photos at once, each in a process of the pool."""

import os
from asyncio import TaskGroup
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from apps.cli.find_photos import Photo
from apps.cli.render_file import Outcome, RenderOptions, failed, render_file, store_result
from apps.cli.render_pool import render_pool
from libs.runtime.process_pool import ProcessPool, RenderError
from libs.settings import Settings


async def render_files(
    photos: Sequence[Photo], options: RenderOptions, settings: Settings, count: int, *, quiet: bool = False
) -> list[Outcome]:
    """Render all photos in `count` processes; return their outcomes in the order of their paths.

    A photo that takes too long, needs too much memory or crashes its process fails alone.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    parts = [_part_of(options.out / photo.name, number) for number, photo in enumerate(photos)]
    taken = set[Path]()
    with _progress_bar(hidden=quiet or len(photos) == 1) as progress:
        bar = progress.add_task("processing", total=len(photos))

        left, outcomes = iter(zip(photos, parts, strict=True)), list[Outcome]()

        async def render_next() -> None:
            for photo, part in left:
                outcome = await _render(photo, part, options, settings.job_timeout_s, processes)
                outcomes.append(store_result(part, outcome, taken, force=options.force))
                part.unlink(missing_ok=True)
                progress.advance(bar)

        try:
            async with (
                render_pool(settings, min(count, len(photos)), few=len(photos) == 1) as processes,
                TaskGroup() as group,
            ):
                for _ in range(2 * count):  # each process has its next photo at hand
                    group.create_task(render_next())
        finally:
            for part in parts:  # of photos whose process was killed
                part.unlink(missing_ok=True)
    return sorted(outcomes, key=lambda outcome: outcome.source)


async def _render(
    photo: Photo, part: Path, options: RenderOptions, timeout_s: float, processes: ProcessPool
) -> Outcome:
    beside = options.out / photo.name
    try:
        return await processes.run(timeout_s, render_file, photo.path, beside, part, options)
    except RenderError as error:
        return failed(photo.path, f"{error} ({error.code})")


def _part_of(target: Path, number: int) -> Path:
    """Return the name of the unfinished result beside its target, unique to this run and photo."""
    return target.with_name(f".{target.name}.{os.getpid()}-{number}.part")


def _progress_bar(*, hidden: bool) -> Progress:
    """Return a bar for standard error; it shows on a terminal only, and draws in a thread of its own."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal)
