"""Calls that tests give to render processes."""

import time
from pathlib import Path


def wait_for_file(path: Path) -> bool:
    """Return once the file exists."""
    while not path.exists():
        time.sleep(0.01)
    return True
