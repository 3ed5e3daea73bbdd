"""`darkroom describe`: hashes, metadata and properties of a local photo."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from apps.cli.bootstrap import run_command
from apps.cli.render_file import check_size
from apps.cli.render_pool import render_pool
from libs.imaging.describe import Description
from libs.imaging.describe import describe as describe_image
from libs.imaging.errors import ImagingError
from libs.runtime.process_pool import ProcessPool, RenderError
from libs.settings import Settings

PHOTO = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("photo", type=PHOTO)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def describe(photo: Path, as_json: bool) -> None:
    """Print format, size, hashes, colours and metadata of a photo."""
    (description,) = describe_photos(photo)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(description)))
        return
    table = Table(show_header=False)
    for field in description.__struct_fields__:
        value = getattr(description, field)
        if value is None:
            continue
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        table.add_row(field, text)
    Console().print(table)


def describe_photos(*photos: Path) -> list[Description]:
    """Describe photos, one after another, in a render process.

    Raises:
        click.ClickException: One cannot be decoded within the limits.
    """

    async def run(settings: Settings) -> list[Description]:
        async with render_pool(settings, 1) as processes:
            return [await _describe(photo, settings, processes) for photo in photos]

    return run_command(run, with_secret=False)


async def _describe(photo: Path, settings: Settings, processes: ProcessPool) -> Description:
    try:
        check_size(photo, settings.max_upload_bytes)
        return await processes.run(settings.job_timeout_s, describe_image, photo, settings.image_limits)
    except (ImagingError, RenderError) as error:
        raise click.ClickException(f"{photo}: {error} ({error.code})") from error
