"""`darkroom describe`: hashes, metadata and properties of a local photo."""

from pathlib import Path

import click
import msgspec

from apps.cli.bootstrap import run_command
from apps.cli.render_file import check_size
from apps.cli.render_pool import render_pool
from apps.cli.standard_streams import local_file
from apps.cli.tables import print_rows
from libs.imaging.describe import Description
from libs.imaging.describe import describe as describe_image
from libs.imaging.errors import ImagingError
from libs.runtime.process_pool import ProcessPool, RenderError
from libs.settings import Settings

PHOTO = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.command()
@click.argument("photo", type=PHOTO)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def describe(photo: Path, as_json: bool) -> None:
    """Print format, size, hashes, colours and metadata of a photo; `-` reads it from standard input."""
    (description,) = describe_photos(photo)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(description)))
        return
    rows: list[tuple[str, str]] = []
    for field in description.__struct_fields__:
        value = getattr(description, field)
        if value is not None:
            rows.append((field, value if isinstance(value, str) else msgspec.json.encode(value).decode()))
    print_rows(rows)


def describe_photos(*photos: Path) -> list[Description]:
    """Describe photos, one after another, in a render process.

    Raises:
        click.ClickException: One cannot be decoded within the limits.
    """

    async def run(settings: Settings) -> list[Description]:
        async with render_pool(settings, 1, few=True) as processes:
            return [await _describe(photo, settings, processes) for photo in photos]

    return run_command(run, with_secret=False)


async def _describe(photo: Path, settings: Settings, processes: ProcessPool) -> Description:
    try:
        with local_file(photo, settings.max_upload_bytes) as path:
            check_size(path, settings.max_upload_bytes)
            return await processes.run(settings.job_timeout_s, describe_image, path, settings.image_limits)
    except (ImagingError, RenderError) as error:
        raise click.ClickException(f"{photo}: {error} ({error.code})") from error
