"""`darkroom process`: run operations over local photos."""

from collections.abc import Sequence
from pathlib import Path

import click

from apps.cli.bootstrap import run_command
from apps.cli.find_photos import find_photos
from apps.cli.operation_options import parse_operation, read_operations
from apps.cli.render_file import RenderOptions, check_size
from apps.cli.render_files import render_files
from apps.cli.render_pool import core_count, render_pool
from apps.cli.render_report import print_report
from libs.imaging.errors import ImagingError
from libs.imaging.font_files import font_files
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import explain as explain_plan
from libs.runtime.process_pool import ProcessPool, RenderError
from libs.settings import Settings

MAX_JOBS = 64  # render processes, each with the memory of a job


@click.command()
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "--op",
    "operation_texts",
    multiple=True,
    metavar="NAME[:FIELD=VALUE,...]",
    help="An operation, such as resize:width=800,fit=cover. Repeat the option to run several in order.",
)
@click.option(
    "--ops",
    "operations_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file with a list of operations, as the API takes them. They run before those of --op.",
)
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="The folder for results.")
@click.option(
    "--asset",
    "assets",
    multiple=True,
    metavar="NAME=FILE",
    help="The image of a watermark whose `part` is NAME. Repeat the option for several.",
)
@click.option("--force", is_flag=True, help="Overwrite existing results. A source is never overwritten.")
@click.option("--explain", is_flag=True, help="Print the plan for each photo and write nothing.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1, max=MAX_JOBS),
    help=f"Number of photos to render at once, at most {MAX_JOBS}.  [default: the number of CPU cores]",
)
def process(
    photos: tuple[str, ...],
    operation_texts: tuple[str, ...],
    operations_file: Path | None,
    out: Path | None,
    assets: tuple[str, ...],
    force: bool,
    explain: bool,
    jobs: int | None,
) -> None:
    """Run operations over photos and write the results to a folder.

    PHOTO is a file, a folder (searched with its subfolders, which the results keep), or a pattern such as
    'in/*.jpg'.

    The limits are those of a worker: DARKROOM_JOB_TIMEOUT_S, DARKROOM_JOB_MEMORY_BYTES, DARKROOM_MAX_PIXELS,
    DARKROOM_MAX_SIDE, DARKROOM_MAX_FRAMES, DARKROOM_MAX_UPLOAD_BYTES and DARKROOM_MAX_OPERATIONS. A photo
    beyond them fails, and the others are still rendered.

    Exits with 1 when a photo failed.
    """
    from_file = read_operations(operations_file) if operations_file else ()
    operations = (*from_file, *map(parse_operation, operation_texts))
    found = find_photos(photos)
    count = jobs or core_count()
    if explain:
        paths = [photo.path for photo in found]
        if not run_command(lambda settings: _explain(paths, operations, settings, count), with_secret=False):
            raise SystemExit(1)
        return
    if out is None:
        raise click.UsageError("Missing option '-o' / '--out'.")
    files = _assets(assets)

    async def render(settings: Settings) -> int:
        _check_count(operations, settings)
        options = RenderOptions(
            operations=operations,
            out=out,
            force=force,
            limits=settings.image_limits,
            max_bytes=settings.max_upload_bytes,
            assets=files | font_files(operations, settings.fonts_dir),
        )
        return print_report(await render_files(found, options, settings, count))

    if run_command(render, with_secret=False):
        raise SystemExit(1)


async def _explain(
    paths: Sequence[Path], operations: tuple[AnyOperation, ...], settings: Settings, count: int
) -> bool:
    """Print the plan for each photo; return whether all have one."""
    _check_count(operations, settings)
    ok = True
    async with render_pool(settings, min(count, len(paths))) as processes:
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
    plan = await processes.run(settings.job_timeout_s, explain_plan, path, operations, settings.image_limits)
    return plan.lines()


def _check_count(operations: Sequence[AnyOperation], settings: Settings) -> None:
    if len(operations) > settings.max_operations:
        raise click.UsageError(f"{len(operations)} operations, the limit is {settings.max_operations}")


def _assets(texts: tuple[str, ...]) -> dict[str, Path]:
    assets: dict[str, Path] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not Path(path).is_file():
            raise click.BadParameter(f"there is no file {path!r}", param_hint="--asset")
        assets[f"part:{name}"] = Path(path)
    return assets
