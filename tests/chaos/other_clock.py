"""A program whose wall clock is wrong."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
OPTIONS = ("-shared", "-fPIC", "-O1", "-nostdlib")  # it needs no headers, and the libc of the program


async def with_other_clock(program: Sequence[str], offset_s: int, directory: Path) -> tuple[str, ...]:
    """Return a command that runs the program with its clock ahead by `offset_s`; needs a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "no C compiler is installed, as `apt-get install gcc` does"
    library = directory / "other_clock.so"
    process = await asyncio.create_subprocess_exec(compiler, *OPTIONS, "-o", str(library), str(SOURCE))
    assert await process.wait() == 0
    return ("env", f"LD_PRELOAD={library}", f"CLOCK_OFFSET_S={offset_s}", *program)
