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
    """The newest of the well-known installations, else what PATH gives; links are followed."""
    for folder in _folders():
        found = shutil.which(name, path=str(folder))
        if found is not None:
            return Path(found).resolve()
    return None


def found(names: Iterable[str]) -> bool:
    return all(find(name) is not None for name in names)


def need(name: str) -> Path:
    path = find(name)
    if path is None:
        raise FileNotFoundError(name)
    return path


def _folders() -> Iterator[Path]:
    """Where to look, in order; `DARKROOM_SERVICES_PATH` replaces all of it."""
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
