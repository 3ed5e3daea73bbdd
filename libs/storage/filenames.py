"""The filenames that users see."""

from pathlib import PurePath

MAX_CHARS = 255
SAME_FORMAT = {
    ".jpeg": ".jpg",
    ".jpe": ".jpg",
    ".jfif": ".jpg",
    ".tif": ".tiff",
    ".apng": ".png",
}
"""Extensions that are kept, and the extension of their format."""


def with_extension(filename: str, extension: str) -> str:
    """Return the last part of a client's path, printable, with an extension that fits the file's format."""
    name = "".join(c for c in filename.replace("\\", "/").rpartition("/")[2] if c.isprintable())
    path = PurePath(name)
    if SAME_FORMAT.get(path.suffix.lower(), path.suffix.lower()) == f".{extension}":
        return name[-MAX_CHARS:]
    return f"{path.stem.rstrip('.') or 'image'}"[: MAX_CHARS - len(extension) - 1] + f".{extension}"
