"""Which files are meant by files, folders and patterns."""

import glob
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import Struct

_EXTENSIONS = {
    ".jpg", ".jpeg", ".jpe", ".png", ".apng", ".webp", ".gif", ".avif", ".tif", ".tiff", ".bmp",
}  # fmt: skip


class Photo(Struct, frozen=True, order=True):
    """A file, and where its result belongs below the folder for results."""

    path: Path
    name: Path


def find_photos(arguments: Sequence[str]) -> list[Photo]:
    """Give every file once; in folders, and folders in them, files are known by their extension."""
    found: dict[Path, Photo] = {}
    for argument in arguments:
        photos = _meant(argument)
        if not photos:
            raise click.BadParameter(f"{argument!r} names no photo", param_hint="PHOTO")
        for photo in photos:
            found.setdefault(photo.path.resolve(), photo)
    return list(found.values())


def _meant(argument: str) -> list[Photo]:
    path = Path(argument)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _EXTENSIONS)
        return [Photo(file, file.relative_to(path)) for file in files if file.is_file()]
    if path.is_file():
        return [Photo(path, Path(path.name))]
    matches = (Path(match) for match in sorted(glob.glob(argument, recursive=True)))  # noqa: PTH207
    return [Photo(match, Path(match.name)) for match in matches if match.is_file()]
