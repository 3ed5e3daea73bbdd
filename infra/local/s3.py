"""An S3 server: rclone serves a folder."""

import os
import signal
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from infra.local import network, processes, programs
from infra.local.record import CannotStart, Record
from infra.local.service import Container

KEY = "darkroom"
BUCKET = "darkroom-test"


class S3:
    """The S3 service."""

    name = "s3"
    variable = "DARKROOM_TEST_OBJECTS_URL"
    further_variables: tuple[str, ...] = ()
    programs: tuple[str, ...] = ("rclone",)
    packages: tuple[str, ...] = ()  # Debian's rclone is too old for `serve s3`
    advice = "run `make install`, or install rclone 1.65 or newer"
    ports: tuple[str, ...] = ("s3",)

    def make_folder(self, inside: Path) -> Path:
        return Path(tempfile.mkdtemp(prefix="darkroom-s3-", dir=inside))

    def start(self, record: Record) -> None:
        folder = Path(record.folder)
        rclone = str(programs.need("rclone"))
        if not _serves_s3(rclone):
            raise CannotStart(f"{rclone} has no `serve s3`; {self.advice}")
        (folder / "data" / BUCKET).mkdir(parents=True)
        address = f"{network.HOST}:{record.ports['s3']}"
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "RCLONE_CONFIG": os.devnull,
            "RCLONE_AUTH_KEY": f'"{KEY},{record.secret}"',  # not an argument: other users can read those
        }
        command = [rclone, "serve", "s3", "--addr", address, str(folder / "data")]
        record.processes[:] = [processes.start(command, folder=folder, env=env, log=folder / "log")]

    def stop(self, record: Record) -> None:
        for process in record.processes:
            processes.stop(process, signal.SIGTERM)

    def answers(self, record: Record) -> bool:
        return network.speaks_http(record.ports["s3"])

    def exports(self, record: Record) -> dict[str, str]:
        server = f"{KEY}:{record.secret}@{network.HOST}:{record.ports['s3']}"
        return {self.variable: f"s3://{server}/{BUCKET}?secure=false"}

    def container(self, record: Record) -> Container:
        return Container(
            image="quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z",
            ports={"s3": 9000},
            env={"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": record.secret},
            entrypoint="/bin/sh",
            command=("-c", f"mkdir -p /data/{BUCKET} && exec minio server /data"),
        )


@cache
def _serves_s3(rclone: str) -> bool:
    shown = subprocess.run([rclone, "serve", "s3", "--help"], capture_output=True, text=True)
    return "--auth-key" in shown.stdout
