"""Records of the services that run, kept in the state folder between commands."""

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from infra.local.processes import Process

ROOT = Path(__file__).resolve().parents[2]


class CannotStart(Exception):
    """A service cannot be started; the message says what to do."""


@dataclass
class Record:
    """One service that this script started."""

    folder: str  # holds its data, its log and its configuration
    ports: dict[str, int]
    secret: str = ""
    container: str = ""  # the container's name, if it runs in one
    processes: list[Process] = field(default_factory=list[Process])  # the server first


def state_folder() -> Path:
    """Return `DARKROOM_SERVICES_DIR`, or `.services` in the repository."""
    return Path(os.environ.get("DARKROOM_SERVICES_DIR") or ROOT / ".services").absolute()


def load(name: str) -> Record | None:
    """Read the record of a service; None if `up` did not start it."""
    try:
        stored = json.loads((state_folder() / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    stored["processes"] = [Process(**process) for process in stored["processes"]]
    return Record(**stored)


def save(name: str, record: Record) -> None:
    """Write the record of a service, readable by its owner only."""
    path = state_folder() / f"{name}.json"
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(record), indent=2))
    draft.replace(path)


def delete(name: str) -> None:
    """Delete the record of a service."""
    (state_folder() / f"{name}.json").unlink(missing_ok=True)


@contextlib.contextmanager
def locked() -> Generator[None]:
    """Lock the state folder, so that concurrent commands run one after another."""
    state_folder().mkdir(parents=True, exist_ok=True)
    with (state_folder() / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another run of this script", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
