"""A state folder of the services' script, what runs in it, and how the script is called."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from infra.local.containers import engine_answers

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "infra/local/services"
NAMES = ("postgres", "rabbitmq", "s3")
WAYS = ("programs", "containers") if engine_answers() else ("programs",)
NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent"}
VARIABLES = {
    "DARKROOM_TEST_DATABASE_URL": "postgres://",
    "DARKROOM_TEST_BROKER_URL": "amqp://",
    "DARKROOM_TEST_RABBITMQ_MANAGEMENT_URL": "http://",
    "DARKROOM_TEST_OBJECTS_URL": "s3://",
}


def environment(folder: Path, way: str = "programs", **changes: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    engine = NO_ENGINE if way == "programs" else {}
    return inherited | {"DARKROOM_SERVICES_DIR": str(folder)} | engine | changes


def services(command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), command], env=env, capture_output=True, text=True)


def succeed(command: str, env: dict[str, str]) -> str:
    done = services(command, env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def variables(env: dict[str, str]) -> dict[str, str]:
    lines = map(shlex.split, succeed("env", env).splitlines())
    return dict(assignment.split("=", 1) for _, assignment in lines)


def record(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_text())


def pids(folder: Path, name: str) -> list[int]:
    """The server first."""
    return [process["pid"] for process in record(folder, name)["processes"]]


def docker(*arguments: str) -> list[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.split()


def servers(folder: Path) -> set[str]:
    """What runs: ids of processes, or of containers."""
    names = [record(folder, name)["container"] for name in NAMES]
    if all(names):
        return set(docker("inspect", "--format", "{{.Id}}", *names))
    return {str(pid) for name in NAMES for pid in pids(folder, name)}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def processes_of(folder: Path) -> list[int]:
    """All that were started in the folder, whatever they call themselves and whoever their parent is."""
    found: list[int] = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        info = process.info
        text = " ".join([info["cwd"] or "", *(info["cmdline"] or [])])
        if str(folder) in text and info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


@contextmanager
def services_folder() -> Generator[Path]:
    """Make a folder in /var/tmp, where PostgreSQL's own user can go too."""
    folder = Path(tempfile.mkdtemp(prefix="darkroom-test-services-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
        for way in WAYS:
            succeed("down", environment(folder, way))
    finally:
        shutil.rmtree(folder)
