"""A PostgreSQL server for tests: fast, as it never waits for the disk, and not durable."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from infra.local import network, npm_postgres, processes
from infra.local.record import CannotStart, Record
from infra.local.service import Container

FAST_OPTIONS = {
    "max_connections": "600",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
LOCAL_OPTIONS = {
    "listen_addresses": network.HOST,
    "unix_socket_directories": "",  # a socket's path is limited to some 100 bytes
    "dynamic_shared_memory_type": "mmap",  # files in its folder; other kinds remain after a killed server
}
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108
MIN_FREE_BYTES = 4 * 1024**3
INITDB = ("--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")


class Postgres:
    """The PostgreSQL service."""

    name = "postgres"
    variable = "DARKROOM_TEST_DATABASE_URL"
    further_variables: tuple[str, ...] = ()
    programs: tuple[str, ...] = ("initdb", "postgres")
    packages: tuple[str, ...] = ("postgresql",)
    advice = "install PostgreSQL 15 or newer"
    ports: tuple[str, ...] = ("sql",)

    def make_folder(self, inside: Path) -> Path:
        """Create the data folder in memory if there is room: hundreds of tests each create 300 files.

        Otherwise create it in `inside`, or in /var/tmp if the user `postgres` cannot enter that.
        """
        user = _user()
        parent = MEMORY_FOLDER if _has_room(MEMORY_FOLDER) else inside
        if user is None:
            return Path(tempfile.mkdtemp(prefix="darkroom-postgres-", dir=parent))
        if not all(folder.stat().st_mode & 0o001 for folder in (parent, *parent.parents)):
            parent = Path("/var/tmp")  # noqa: S108
        folder = Path(tempfile.mkdtemp(prefix="darkroom-postgres-", dir=parent))
        os.chown(folder, user, processes.primary_group(user))
        return folder

    def start(self, record: Record) -> None:
        folder = Path(record.folder)
        user = _user()
        data = folder / "data"
        _initialise(data, user)
        options = FAST_OPTIONS | LOCAL_OPTIONS | {"port": str(record.ports["sql"])}
        command = [str(npm_postgres.program("postgres")), "-D", str(data), *_flags(options)]
        record.processes[:] = [
            processes.start(command, folder=folder, env=_env(), log=folder / "log", user=user)
        ]

    def stop(self, record: Record) -> None:
        for process in record.processes:
            processes.stop(process, signal.SIGQUIT)  # PostgreSQL's immediate shutdown

    def answers(self, record: Record) -> bool:
        return network.speaks_postgres(record.ports["sql"])

    def exports(self, record: Record) -> dict[str, str]:
        return {self.variable: f"postgres://postgres@{network.HOST}:{record.ports['sql']}/postgres"}

    def container(self, record: Record) -> Container:
        return Container(
            image="postgres:15-alpine",
            ports={"sql": 5432},
            env={"POSTGRES_HOST_AUTH_METHOD": "trust"},
            command=("postgres", *_flags(FAST_OPTIONS)),
        )


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= MIN_FREE_BYTES


def _flags(options: dict[str, str]) -> list[str]:
    return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]


def _initialise(data: Path, user: int | None) -> None:
    made = subprocess.run(
        [str(npm_postgres.program("initdb")), "-D", str(data), *INITDB],
        cwd=data.parent,
        env=_env(),
        user=user,
        group=None if user is None else processes.primary_group(user),
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise CannotStart(f"initdb failed: {made.stderr.strip()}")


def _user() -> int | None:
    """Return the user to run PostgreSQL as, None for the current one; it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        raise CannotStart("PostgreSQL refuses to run as root, and there is no user `postgres`") from None


def _env() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
