"""Many photos at once, on all cores."""

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future, as_completed
from pathlib import Path
from typing import cast

from msgspec import Struct
from pebble import ProcessExpired, ProcessPool
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from apps.cli.find_files import Photo
from libs.imaging.errors import ImagingError
from libs.imaging.formats import FORMATS
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import explain, render

_MOST_SHOWN = 50


class Work(Struct, frozen=True, kw_only=True):
    """What is done to each photo."""

    operations: tuple[AnyOperation, ...]
    out: Path
    force: bool
    limits: Limits
    assets: Mapping[str, Path]


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one photo."""

    source: Path
    before_bytes: int
    target: Path | None = None
    after_bytes: int = 0
    failure: str | None = None


def run(photos: Sequence[Photo], work: Work, jobs: int | None) -> list[Outcome]:
    """Process all photos, each in a child; one that crashes fails its photo alone."""
    work.out.mkdir(parents=True, exist_ok=True)
    count = min(jobs or len(os.sched_getaffinity(0)), len(photos))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["apps.cli.process_files"])
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    outcomes: list[Outcome] = []
    with (
        ProcessPool(max_workers=count, context=context) as pool,  # pyright: ignore[reportArgumentType]
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("processing", total=len(photos))
        futures = {
            cast("Future[Outcome]", pool.schedule(process, args=(photo, work))): photo for photo in photos
        }
        for future in as_completed(futures):
            outcomes.append(_outcome(future, futures[future]))
            progress.advance(task)
    return sorted(outcomes, key=lambda outcome: outcome.source)


def _outcome(future: Future[Outcome], photo: Photo) -> Outcome:
    try:
        return future.result()
    except (ProcessExpired, CancelledError) as error:
        return _failed(photo, f"its process died: {error}")


def process(photo: Photo, work: Work) -> Outcome:
    """Render one photo to its place below the folder for results; nothing is overwritten unasked."""
    target = work.out / photo.name
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        plan = explain(photo.path, work.operations, work.limits)
        expected = target.with_suffix("." + FORMATS[plan.output.format].extension)
        if not work.force and not plan.output.opaque_format and expected.exists():
            return _failed(photo, f"{expected} is there already; --force overwrites")
        target.parent.mkdir(parents=True, exist_ok=True)
        rendered = render(photo.path, part, work.operations, work.limits, assets=work.assets)
        target = target.with_suffix("." + rendered.extension)
        if work.force and target.resolve() != photo.path.resolve():
            part.replace(target)
        else:
            target.hardlink_to(part)  # unlike a rename, it fails if the name is taken
    except ImagingError as error:
        return _failed(photo, f"{error} ({error.code})")
    except FileExistsError:
        return _failed(photo, f"{target} is there already; --force overwrites all but the source")
    except OSError as error:
        return _failed(photo, str(error))
    finally:
        part.unlink(missing_ok=True)
    return Outcome(
        source=photo.path,
        before_bytes=photo.path.stat().st_size,
        target=target,
        after_bytes=rendered.size_bytes,
    )


def _failed(photo: Photo, reason: str) -> Outcome:
    size_bytes = photo.path.stat().st_size if photo.path.exists() else 0
    return Outcome(source=photo.path, before_bytes=size_bytes, failure=reason)


def report(outcomes: Sequence[Outcome]) -> int:
    """Print a table; give the number of failures."""
    done = [outcome for outcome in outcomes if outcome.failure is None]
    failed = [outcome for outcome in outcomes if outcome.failure is not None]
    console = Console()
    table = Table(Column("file", overflow="fold"), "before", "after", Column("result", overflow="fold"))
    for outcome in done[:_MOST_SHOWN]:
        table.add_row(
            str(outcome.source),
            decimal(outcome.before_bytes),
            decimal(outcome.after_bytes),
            str(outcome.target),
        )
    if len(done) > _MOST_SHOWN:
        table.add_row(f"and {len(done) - _MOST_SHOWN} more", "", "", "")
    for outcome in failed:
        table.add_row(str(outcome.source), decimal(outcome.before_bytes), "", f"failed: {outcome.failure}")
    before, after = sum(o.before_bytes for o in done), sum(o.after_bytes for o in done)
    table.add_section()
    total = f"{len(done)} done, {len(failed)} failed"
    table.add_row(total, decimal(before), decimal(after), f"{after / before:.0%}" if before else "")
    console.print(table)
    return len(failed)
