"""Find installed programs."""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.local.record import ROOT

WELL_KNOWN = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/opt/homebrew/sbin",
    "/usr/local/opt/postgresql*/bin",
    "/usr/local/sbin",
    "/opt/homebrew/bin",
)


def find(name: str) -> Path | None:
    """Return the path of a program, links resolved: the newest well-known installation, else from PATH."""
    for folder in _folders():
        found = shutil.which(name, path=str(folder))
        if found is not None:
            return Path(found).resolve()
    return None


def found(names: Iterable[str]) -> bool:
    """Return whether all programs are installed."""
    return all(find(name) is not None for name in names)


def need(name: str) -> Path:
    """Return the path of a program.

    Raises:
        FileNotFoundError: It is not installed.
    """
    path = find(name)
    if path is None:
        raise FileNotFoundError(name)
    return path


def _folders() -> Iterator[Path]:
    """Yield the folders to search, in order; `DARKROOM_SERVICES_PATH` replaces all of them."""
    only = os.environ.get("DARKROOM_SERVICES_PATH")
    if only is not None:
        yield from map(Path, only.split(os.pathsep))
        return
    yield Path(sys.executable).parent
    yield ROOT / ".venv" / "bin"
    for pattern in WELL_KNOWN:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), key=_version, reverse=True)
    yield from map(Path, os.environ.get("PATH", os.defpath).split(os.pathsep))


def _version(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]
