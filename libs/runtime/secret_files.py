"""Secrets that a process generates and keeps in a file."""

import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def kept_secret(path: Path) -> str:
    """Return the secret in a file that only its owner can read; generate it at the first call."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with NamedTemporaryFile("w", dir=path.parent) as file:  # mode 0600
            file.write(new_secret())
            file.flush()
            with suppress(FileExistsError):  # atomic; the first of two starting processes wins
                path.hardlink_to(file.name)
    return path.read_text().strip()


def new_secret() -> str:
    """Return a random secret of 384 bits."""
    return secrets.token_urlsafe(48)
