"""`darkroom` in which one loop of API, worker or scheduler dies as soon as a file appears.

It dies of what bugs in libraries cause: something it awaits is cancelled by somebody else. Run it as a
script, with the names of the apps and the command as arguments; the file is `break` in the working directory.
"""

import asyncio
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from apps.cli.main import main

LOOPS = {
    "api": ("apps.api.server", "keep_removing_unrecorded"),
    "worker": ("apps.worker.consumer", "keep_removing_unrecorded"),
    "scheduler": ("apps.scheduler.scheduler", "purge"),
}


async def _break(_: object) -> NoReturn:
    while not Path("break").exists():
        await asyncio.sleep(0.05)
    raise asyncio.CancelledError


if __name__ == "__main__":
    for app in sys.argv.pop(1).split(","):
        module, loop = LOOPS[app]
        setattr(import_module(module), loop, _break)
    main()
