"""Record the README's three commands in a terminal: `make screenshots` writes docs/images/terminal.svg.

The commands run on a real site. The picture shows what they print, and a comparison of both files.
"""

import asyncio
import re
import shutil
import tempfile
from io import StringIO
from pathlib import Path

import skimage
from rich.console import Console
from rich.text import Text

from tests.support.documents import LOCAL_ADDRESS, ROOT, blocks, run_as_pasted
from tests.support.site import running_site

COLUMNS = 116
MARK = "::: the next command :::"
FONT_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # they name fonts on another host
(THREE_COMMANDS,) = (block.text for block in blocks("README.md") if block.is_run)
COMPARE = "darkroom compare photo.jpg result.webp"


async def record() -> list[tuple[str, str]]:
    """Run the commands; return each with its output."""
    commands = [*re.split(r"\n(?! )", THREE_COMMANDS), COMPARE]
    pasted = "".join(f"\necho '{MARK}'\n{command}" for command in commands)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(Path(skimage.__file__).parent / "data" / "retina.jpg", Path(folder) / "photo.jpg")
        async with running_site("embedded", Path(folder) / "site") as site:
            environment = {**site.environment, "COLUMNS": str(COLUMNS)}
            out = await run_as_pasted(pasted.replace(LOCAL_ADDRESS, site.url), Path(folder), environment)
    return list(zip(commands, out.split(f"{MARK}\n")[1:], strict=True))


def draw(recorded: list[tuple[str, str]]) -> str:
    """Return the terminal as SVG."""
    console = Console(record=True, width=COLUMNS, file=StringIO())
    for command, out in recorded:
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        if out:
            console.print(Text(out.rstrip("\n")))
    return FONT_FACES.sub("", console.export_svg(title="Darkroom"))


if __name__ == "__main__":
    (ROOT / "docs/images/terminal.svg").write_text(draw(asyncio.run(record())))
