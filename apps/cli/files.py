"""The commands themselves."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from apps.cli import process_files
from apps.cli.find_files import find_photos
from apps.cli.operation_options import parse_operation, read_operations
from libs.imaging.describe import Description
from libs.imaging.describe import describe as describe_file
from libs.imaging.errors import ImagingError
from libs.imaging.hashing import distance
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import explain as explain_plan

_HASHES = ("phash", "dhash", "average_hash", "colorhash")
_LIMITS = Limits(max_pixels=400_000_000, max_side=65_535, max_frames=2_000, max_bytes=4 * 1024**3)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option("--op", "texts", multiple=True, help="NAME:FIELD=VALUE,... Several run in order.")
@click.option("--ops", "file", type=_FILE, help="A JSON file with a list of operations; they run first.")
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="The folder for results.")
@click.option("--asset", "assets", multiple=True, metavar="NAME=FILE", help="A watermark's `part`.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option("--explain", is_flag=True, help="Print the plan for each photo, and do nothing.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; as many as cores.")
def process(
    photos: tuple[str, ...],
    texts: tuple[str, ...],
    file: Path | None,
    out: Path | None,
    assets: tuple[str, ...],
    force: bool,
    explain: bool,
    jobs: int | None,
) -> None:
    """Run operations over photos: files, folders or patterns such as 'in/*.jpg'."""
    operations = (read_operations(file) if file else ()) + tuple(parse_operation(text) for text in texts)
    found = find_photos(photos)
    if explain:
        _explain([photo.path for photo in found], operations)
        return
    if out is None:
        raise click.UsageError("Missing option '-o' / '--out'.")
    work = process_files.Work(
        operations=operations, out=out, force=force, limits=_LIMITS, assets=_assets(assets)
    )
    outcomes = process_files.run(found, work, jobs)
    if process_files.report(outcomes):
        raise SystemExit(1)


@click.command()
@click.argument("photo", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def describe(photo: Path, as_json: bool) -> None:
    """Print what is known of a photo."""
    found = _described(photo)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    table = Table(show_header=False)
    for field in found.__struct_fields__:
        value = getattr(found, field)
        if value is None:
            continue
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        table.add_row(field, text)
    Console().print(table)


@click.command()
@click.argument("one", type=_FILE)
@click.argument("other", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def compare(one: Path, other: Path, as_json: bool) -> None:
    """Print how far apart two photos are, in bits of their hashes; 0 to 10 of 64 look alike."""
    first, second = _described(one), _described(other)
    distances = {name: distance(getattr(first, name), getattr(second, name)) for name in _HASHES}
    if as_json:
        same = first.sha256 == second.sha256
        click.echo(msgspec.json.encode({"same_bytes": same, "distances": distances}))
        return
    table = Table("hash", one.name, other.name, "bits apart")
    for name, bits in distances.items():
        table.add_row(name, getattr(first, name), getattr(second, name), str(bits))
    Console().print(table)


def _explain(paths: list[Path], operations: tuple[AnyOperation, ...]) -> None:
    failed = False
    for path in paths:
        click.echo(path)
        try:
            lines = explain_plan(path, operations, _LIMITS).lines()
        except ImagingError as error:
            failed = True
            lines = [f"{error.code}: {error}"]
        for line in lines:
            click.echo(f"  {line}")
    if failed:
        raise SystemExit(1)


def _described(photo: Path) -> Description:
    try:
        return describe_file(photo, _LIMITS)
    except ImagingError as error:
        raise click.ClickException(f"{photo}: {error} ({error.code})") from error


def _assets(texts: tuple[str, ...]) -> dict[str, Path]:
    assets: dict[str, Path] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not Path(path).is_file():
            raise click.BadParameter(f"there is no file {path!r}", param_hint="--asset")
        assets[f"part:{name}"] = Path(path)
    return assets
