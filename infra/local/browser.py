"""The browser that looks at the admin pages in tests: Chromium, as the system packages it."""

import sys
from pathlib import Path

from infra.local import apt, programs
from infra.local.record import CannotStart

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium",)
ADVICE = "install Chromium: the tests of the admin pages need it"


def find() -> Path | None:
    return next((path for name in NAMES if (path := programs.find(name)) is not None), None)


def get() -> None:
    """See that it is there, by apt where that is possible; the services do without it."""
    if find() is None and apt.usable():
        try:
            apt.install(PACKAGES)
        except CannotStart as error:
            print(error, file=sys.stderr)
    if find() is None:
        print(ADVICE, file=sys.stderr)
