"""Run the same work with sharp, the imaging library of Node.js, in a process of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from libs.imaging.operations import AnyOperation, Blur, Compress, Convert, Resize, Rotate

VERSION = "0.35.5"
_SCRIPT = Path(__file__).with_name("sharp_case.mjs")

Step: TypeAlias = tuple[str | float | None, ...]


@cache
def modules() -> Path | None:
    """Return the folder with sharp, which npm installs into the user's cache; None without Node.js or npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache_home / "darkroom-benchmarks" / f"sharp-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    installed = folder / "node_modules"
    if not (installed / "sharp").exists():
        command = [npm, "install", "--no-audit", "--no-fund", "--silent", f"sharp@{VERSION}"]
        if subprocess.run(command, cwd=folder, check=False).returncode:
            return None
    return installed


def run(source: Path, target: Path, mark: Path, operations: Sequence[AnyOperation], repeats: int) -> Any:
    """Run the operations `repeats` times after a first time; return CPU times, peak memory and bytes."""
    steps = [_step(operation) for operation in operations] or [("describe",)]
    case = {
        "source": str(source),
        "target": str(target),
        "mark": str(mark),
        "steps": steps,
        "repeats": repeats,
    }
    command = ["node", str(_SCRIPT), str(modules()), json.dumps(case)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _step(operation: AnyOperation) -> Step:
    match operation:
        case Resize():
            return "resize", operation.width, operation.height, operation.fit
        case Rotate():
            return "rotate", operation.angle
        case Blur():
            return "blur", operation.sigma
        case Compress():
            return "jpeg", operation.quality
        case Convert():
            return str(operation.format), operation.quality
        case _:
            return (type(operation).__name__.lower(),)
