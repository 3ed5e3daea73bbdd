"""Install the services to compare with, into the user's cache: nothing of them belongs to this project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.local import apt

IPX = "ipx@3.1.1"
DJANGO_PACKAGES = ("celery[redis]", "django", "gunicorn", "pillow", "psycopg[binary]")


def ipx_program() -> Path | None:
    """Return the program of ipx; None without Node.js and npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    folder = _cache() / IPX
    program = folder / "node_modules/ipx/bin/ipx.mjs"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "install", "--no-audit", "--no-fund", "--silent", IPX], cwd=folder, check=True)
    return program


def django_programs() -> Path:
    """Return the folder with the programs of the Django service: python, gunicorn, celery."""
    environment = _cache() / "django"
    installed = environment / "installed"
    if not installed.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        pip = (environment / "bin/python", "-m", "pip", "install", "--quiet")
        subprocess.run([*pip, *DJANGO_PACKAGES], check=True)
        installed.touch()
    return environment / "bin"


def redis_program() -> str | None:
    """Return `redis-server`, from Debian's package if it is missing; None where that cannot be installed."""
    if shutil.which("redis-server") is None and apt.usable():
        apt.install(["redis-server"])
    return shutil.which("redis-server")  # a link in Debian, to a program that does as its name says


def _cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "darkroom-benchmarks"
