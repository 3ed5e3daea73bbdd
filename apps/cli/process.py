"""`darkroom process`: run operations over local photos."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from msgspec import Struct

from apps.cli.bootstrap import run_command
from apps.cli.explain import explain_photos
from apps.cli.find_photos import Photo, find_photos
from apps.cli.operation_options import check_count, parse_operation, read_operations
from apps.cli.render_file import Outcome, RenderOptions
from apps.cli.render_files import render_files
from apps.cli.render_pool import core_count
from apps.cli.render_report import print_report
from apps.cli.result_names import DEFAULT, ResultName, parse_result_name
from apps.cli.standard_streams import STREAM, check_stdout, local_file, to_stdout
from libs.imaging.operations import AnyOperation
from libs.imaging.text.font_files import font_files
from libs.settings import Settings

MAX_JOBS = 64  # render processes, each with the memory of a job
NOTHING_TO_DO = "Nothing to do: name an operation with --op or --ops; `darkroom operations` lists them."


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
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, allow_dash=True, path_type=Path),
    help="The folder for results; - writes the result of one photo to standard output.",
)
@click.option(
    "--name",
    default=DEFAULT,
    show_default=True,
    metavar="TEMPLATE",
    help="The names of results, from {stem}, {name}, {ext}, {format}, {width} and {height}.",
)
@click.option(
    "--asset",
    "assets",
    multiple=True,
    metavar="NAME=FILE",
    help="The image of a watermark whose `part` is NAME. Repeat the option for several.",
)
@click.option("--force", is_flag=True, help="Overwrite existing results. A source is never overwritten.")
@click.option("--explain", is_flag=True, help="Print the plan for each photo and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print failures only, to standard error.")
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
    name: str,
    assets: tuple[str, ...],
    force: bool,
    explain: bool,
    as_json: bool,
    quiet: bool,
    jobs: int | None,
) -> None:
    """Run operations over photos and write the results to a folder.

    PHOTO is a file, a folder (searched with its subfolders, which the results keep), a pattern such as
    'in/*.jpg', or - for standard input.

    The limits are those of a worker: DARKROOM_JOB_TIMEOUT_S, DARKROOM_JOB_MEMORY_BYTES, DARKROOM_MAX_PIXELS,
    DARKROOM_MAX_SIDE, DARKROOM_MAX_FRAMES, DARKROOM_MAX_UPLOAD_BYTES and DARKROOM_MAX_OPERATIONS. A photo
    beyond them fails, and the others are still rendered.

    Exits with 1 when a photo failed.
    """
    from_file = read_operations(operations_file) if operations_file else ()
    operations = (*from_file, *map(parse_operation, operation_texts))
    if not operations and not explain:
        raise click.UsageError(NOTHING_TO_DO)  # a photo would be encoded again, and lose quality for nothing
    if out is None and not explain:
        raise click.UsageError("Missing option '-o' / '--out'.")
    run = Run(
        photos=photos,
        operations=operations,
        out=out,
        name=parse_result_name(name),
        assets=_assets(assets),
        force=force,
        explain=explain,
        as_json=as_json,
        quiet=quiet,
        jobs=jobs or core_count(),
    )
    if not run_command(run.run, with_secret=False):
        raise SystemExit(1)


class Run(Struct, frozen=True, kw_only=True):
    """What the command line requests."""

    photos: tuple[str, ...]
    operations: tuple[AnyOperation, ...]
    out: Path | None  # None: explain only
    name: ResultName
    assets: dict[str, Path]
    force: bool
    explain: bool
    as_json: bool
    quiet: bool
    jobs: int

    async def run(self, settings: Settings) -> bool:
        """Do it; return whether every photo has a result."""
        check_count(self.operations, settings)
        with ExitStack() as stack:
            photos = self._found(stack, settings.max_upload_bytes)
            if self.explain or self.out is None:
                return await explain_photos(
                    [photo.path for photo in photos], self.operations, settings, self.jobs
                )
            if str(self.out) == STREAM:
                outcomes = await self._render_to_stdout(photos, settings)
            else:
                outcomes = await self._render(photos, self.out, settings)
            return all(outcome.error is None for outcome in outcomes)

    def _found(self, stack: ExitStack, max_bytes: int) -> list[Photo]:
        files = [photo for photo in self.photos if photo != STREAM]
        found = find_photos(files)
        if STREAM in self.photos:
            found.append(Photo(stack.enter_context(local_file(Path(STREAM), max_bytes)), Path("stdin")))
        return found

    async def _render_to_stdout(self, photos: Sequence[Photo], settings: Settings) -> list[Outcome]:
        check_stdout()
        if len(photos) != 1:
            raise click.UsageError(f"standard output takes the result of one photo, not of {len(photos)}")
        with TemporaryDirectory(prefix="darkroom-") as folder:
            outcomes = await self._render(photos, Path(folder), settings)
            if (result := outcomes[0].result) is not None:
                to_stdout(result)
        return outcomes

    async def _render(self, photos: Sequence[Photo], out: Path, settings: Settings) -> list[Outcome]:
        options = RenderOptions(
            operations=self.operations,
            out=out,
            name=self.name,
            force=self.force,
            limits=settings.image_limits,
            max_bytes=settings.max_upload_bytes,
            assets=self.assets | font_files(self.operations, settings.fonts_dir),
        )
        outcomes = await render_files(photos, options, settings, self.jobs, quiet=self.quiet)
        to_stderr = str(self.out) == STREAM
        print_report(outcomes, as_json=self.as_json, quiet=self.quiet, to_stderr=to_stderr)
        return outcomes


def _assets(texts: tuple[str, ...]) -> dict[str, Path]:
    assets: dict[str, Path] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not Path(path).is_file():
            raise click.BadParameter(f"there is no file {path!r}", param_hint="--asset")
        assets[f"part:{name}"] = Path(path)
    return assets
