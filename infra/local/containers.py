"""Run services in containers if a Docker engine answers."""

import os
import subprocess
from functools import cache

from infra.local import network, programs
from infra.local.record import CannotStart, Record
from infra.local.service import Container

ENGINE_S = 5.0
PULL_S = 600.0


@cache
def engine_answers() -> bool:
    """Return whether there is a Docker client and its engine answers."""
    try:
        return programs.find("docker") is not None and not _docker("version", limit_s=ENGINE_S).returncode
    except subprocess.TimeoutExpired:
        return False


def start(record: Record, container: Container) -> None:
    """Run a container named `record.container`; replace an earlier container of that name.

    Raises:
        CannotStart: `docker run` failed.
    """
    remove(record.container)
    arguments = ["run", "--detach", "--name", record.container]
    for name, inside in container.ports.items():
        arguments += ["--publish", f"{network.HOST}:{record.ports[name]}:{inside}"]
    for variable in container.env:
        arguments += ["--env", variable]  # by name only: other users can read arguments
    if container.entrypoint:
        arguments += ["--entrypoint", container.entrypoint]
    ran = _docker(*arguments, container.image, *container.command, limit_s=PULL_S, env=container.env)
    if ran.returncode:
        raise CannotStart(f"docker run {container.image} failed: {ran.stderr.strip()}")


def runs(name: str) -> bool:
    """Return whether the container is running."""
    return (
        _docker("inspect", "--format", "{{.State.Running}}", name, limit_s=ENGINE_S).stdout.strip() == "true"
    )


def remove(name: str) -> None:
    """Stop and remove the container and its volumes, if it exists."""
    _docker("rm", "--force", "--volumes", name, limit_s=PULL_S)


def log(name: str) -> str:
    """Return the last lines of the container's log."""
    shown = _docker("logs", "--tail", "15", name, limit_s=ENGINE_S)
    return shown.stdout + shown.stderr


def _docker(
    *arguments: str, limit_s: float, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(programs.need("docker")), *arguments],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=limit_s,
    )
