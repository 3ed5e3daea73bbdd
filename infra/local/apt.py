"""Install Debian and Ubuntu packages without starting the services they bring."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

from infra.local import programs
from infra.local.record import CannotStart

# Package scripts read the first to find out if they can start a service, and the second
# before they create PostgreSQL's system-wide cluster.
NO_SERVICE_START = (Path("/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", 0o755)
NO_CLUSTER = (
    Path("/etc/postgresql-common/createcluster.d/darkroom.conf"),
    "create_main_cluster = false\n",
    0o644,
)


def usable() -> bool:
    """Return whether this process can install packages."""
    return os.geteuid() == 0 and programs.find("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """Install `packages`; wait for another apt to finish, and update the package lists if needed.

    Raises:
        CannotStart: apt-get failed.
    """
    print(f"installing {', '.join(packages)}", file=sys.stderr)
    with _temporary_file(*NO_SERVICE_START), _temporary_file(*NO_CLUSTER):
        arguments = ["install", "--yes", "--no-install-recommends", *packages]
        if _apt(*arguments).returncode == 0:
            return
        updated = _apt("update")
        installed = _apt(*arguments)
    if installed.returncode:
        raise CannotStart(f"apt-get failed:\n{updated.stderr}{installed.stderr}".strip())


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(programs.need("apt-get")), "-o", "DPkg::Lock::Timeout=300", "-qq", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@contextlib.contextmanager
def _temporary_file(path: Path, text: str, mode: int) -> Generator[None]:
    """Create a file for the time of the block; an existing file is not ours and stays unchanged."""
    new_folders = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        yield
        return
    path.chmod(mode)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        for folder in new_folders:
            with contextlib.suppress(OSError):
                folder.rmdir()
