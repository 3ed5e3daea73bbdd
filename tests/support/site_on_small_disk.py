"""A site whose folder is on a disk of a few megabytes."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path


def on_small_disk(folder: Path, size: str) -> Sequence[str]:
    """Return a program for `Site` that mounts an empty disk of `size` (`2m`) for its processes alone."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = f"mount -t tmpfs -o size={size} tmpfs {shlex.quote(str(folder))}"
    start = f'exec {shlex.quote(sys.executable)} -m apps.cli "$@"'
    return ("unshare", "--map-root-user", "--mount", "sh", "-c", f"{mount} && {start}", "sh")
