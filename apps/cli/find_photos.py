"""Find the photos that files, folders and patterns on the command line name."""

import glob
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import Struct

EXTENSIONS = {
    ".jpg", ".jpeg", ".jpe", ".png", ".apng", ".webp", ".gif", ".avif", ".tif", ".tiff", ".bmp",
    ".heic", ".heif", ".hif", ".jxl",
}  # fmt: skip


class Photo(Struct, frozen=True, order=True):
    """A source file, and the path of its result below the output folder."""

    path: Path
    name: Path


def find_photos(arguments: Sequence[str]) -> list[Photo]:
    """Return every photo once, in the order of the arguments.

    A folder is searched with its subfolders, for files with the extension of an image format.

    Raises:
        click.BadParameter: An argument names no photo.
    """
    found: dict[Path, Photo] = {}
    for argument in arguments:
        photos = _expand(argument)
        if not photos:
            raise click.BadParameter(f"{argument!r} names no photo", param_hint="PHOTO")
        for photo in photos:
            found.setdefault(photo.path.resolve(), photo)
    return list(found.values())


def _expand(argument: str) -> list[Photo]:
    path = Path(argument)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in EXTENSIONS)
        return [Photo(file, file.relative_to(path)) for file in files if file.is_file()]
    if path.is_file():
        return [Photo(path, Path(path.name))]
    matches = (Path(match) for match in sorted(glob.glob(argument, recursive=True)))  # noqa: PTH207
    return [Photo(match, Path(match.name)) for match in matches if match.is_file()]
