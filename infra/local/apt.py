"""Install Debian and Ubuntu packages without starting the services they bring."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

from infra.local import programs
from infra.local.record import CannotStart

# Package scripts ask the first whether they may start a service, and read the second
# before they make PostgreSQL's system-wide cluster.
POLICY = (Path("/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", 0o755)
NO_CLUSTER = (
    Path("/etc/postgresql-common/createcluster.d/darkroom.conf"),
    "create_main_cluster = false\n",
    0o644,
)


def usable() -> bool:
    return os.geteuid() == 0 and programs.find("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """Install `packages`, waiting for another apt to finish; lists are fetched when they must be."""
    print(f"installing {', '.join(packages)}", file=sys.stderr)
    with _in_place(*POLICY), _in_place(*NO_CLUSTER):
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
def _in_place(path: Path, text: str, mode: int) -> Generator[None]:
    """Keep a file for a while; one that is there already is the owner's and stays."""
    made = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
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
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
