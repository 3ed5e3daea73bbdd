"""Install the services to compare with, into the user's cache: nothing of them belongs to this project."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local import apt

IPX = "ipx@3.1.1"
THUMBOR_PACKAGES = ("thumbor==7.8.0", "pillow-avif-plugin==1.6.0")
DJANGO_PACKAGES = ("celery[redis]", "django", "gunicorn", "pillow", "psycopg[binary]")


def ipx_program() -> Path | None:
    """Return the program of ipx; None without Node.js and npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    folder = cache_folder() / IPX
    program = folder / "node_modules/ipx/bin/ipx.mjs"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "install", "--no-audit", "--no-fund", "--silent", IPX], cwd=folder, check=True)
    return program


def django_programs() -> Path:
    """Return the folder with the programs of the Django service: python, gunicorn, celery."""
    return _environment("django", DJANGO_PACKAGES)


def thumbor_program() -> Path | None:
    """Return the program of thumbor; None where it cannot be installed."""
    try:
        return _environment("thumbor", THUMBOR_PACKAGES) / "thumbor"
    except subprocess.CalledProcessError:
        return None


def redis_program() -> str | None:
    """Return `redis-server`, from Debian's package if it is missing; None where that cannot be installed."""
    if shutil.which("redis-server") is None and apt.usable():
        apt.install(["redis-server"])
    return shutil.which("redis-server")  # a link in Debian, to a program that does as its name says


def _environment(name: str, packages: Sequence[str]) -> Path:
    """Return the folder of programs of a virtual environment with these packages."""
    environment = cache_folder() / name
    installed = environment / "installed"
    if not installed.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        pip = (environment / "bin/python", "-m", "pip", "install", "--quiet")
        subprocess.run([*pip, *packages], check=True)
        installed.touch()
    return environment / "bin"


def cache_folder() -> Path:
    """Return the folder of what benchmarks keep on this machine."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "darkroom-benchmarks"
