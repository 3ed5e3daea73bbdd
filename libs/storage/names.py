"""What files are called: for those who uploaded them, and in the object store."""

from datetime import datetime
from pathlib import PurePath
from uuid import UUID

NAME_BYTES = 160  # of a filename's stem in an object key, whose last part may have 255
FILENAME_CHARS = 255
ORIGINALS = "originals"
RESULTS = "results"
INBOX = "inbox"  # what outside producers drop for their jobs; nobody's account has this name
THUMBNAILS = ".thumbnails"
EXTENSIONS = {
    ".jpeg": ".jpg",
    ".jpe": ".jpg",
    ".jfif": ".jpg",
    ".tif": ".tiff",
    ".apng": ".png",
}  # as good as


def object_key(
    username: str,
    image_id: UUID | str,
    filename: str,
    extension: str,
    *,
    folder: str,
    when: datetime,
    attempt: int = 1,
) -> str:
    """Where an image's bytes live; readable by people who browse the bucket.

    A second attempt of a job writes beside the first, so that whoever lost can be cleared without harm.
    """
    clean = "".join(c if c.isalnum() or c in "._-" else "-" for c in PurePath(filename).stem)
    stem = clean.encode()[:NAME_BYTES].decode(errors="ignore").strip(".-")
    again = f".{attempt}" if attempt > 1 else ""
    return f"{key_prefix(username, image_id, folder=folder, when=when)}{again}-{stem or 'image'}.{extension}"


def key_prefix(username: str, image_id: UUID | str, *, folder: str, when: datetime) -> str:
    """What the keys of all attempts at one image start with."""
    return f"{username}/{folder}/{when:%Y/%m/%d}/{image_id}"


def thumbnail_key(object_key: str) -> str:
    """Where the thumbnail of an image's file lives; no username begins with a dot."""
    return f"{THUMBNAILS}/{object_key}"


def with_extension(filename: str, extension: str) -> str:
    """The last part of a client's filename, printable, with the extension its bytes deserve."""
    name = "".join(c for c in filename.replace("\\", "/").rpartition("/")[2] if c.isprintable())
    path = PurePath(name)
    if EXTENSIONS.get(path.suffix.lower(), path.suffix.lower()) == f".{extension}":
        return name[-FILENAME_CHARS:]
    return f"{path.stem.rstrip('.') or 'image'}"[: FILENAME_CHARS - len(extension) - 1] + f".{extension}"
