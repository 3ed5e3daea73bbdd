"""Draw the Mermaid diagrams of the documents as SVG files, for the site: `make diagrams`.

Mermaid comes from npm and draws in Chromium. Both are only needed when a diagram has changed: the drawings
are part of the tree, and each names the digest of its source.
"""

import asyncio
import hashlib
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from infra.local import tools

DOCS = Path(__file__).parents[1]
FOLDER = "images/diagrams"
MERMAID = "mermaid@12.3.0"  # MIT licence; the drawings contain none of it
BLOCK = re.compile(r"^```mermaid\n(?P<source>.*?)^```$", re.MULTILINE | re.DOTALL)
DRAW = """async (source) => {
  const plain = { htmlLabels: false, flowchart: { htmlLabels: false }, fontFamily: "sans-serif" };
  mermaid.initialize({ startOnLoad: false, theme: "neutral", ...plain });
  return (await mermaid.render("diagram", source)).svg;
}"""
BACKGROUND = "background-color: #fff; "  # also in dark mode: the lines are dark


def sources() -> list[str]:
    """Return the diagrams of README.md and docs/, each once."""
    pages = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]
    return list(
        dict.fromkeys(block["source"] for page in pages for block in BLOCK.finditer(page.read_text()))
    )


def drawing_of(source: str) -> Path:
    """Return the file of a diagram, named by the digest of its source."""
    return DOCS / FOLDER / f"{hashlib.sha256(source.encode()).hexdigest()[:16]}.svg"


def picture_of(source: str) -> str:
    """Return the Markdown that shows the drawing, with the diagram's `accDescr` as its text."""
    described = re.search(r"^\s*accDescr: *(.+)$", source, re.MULTILINE)
    return f"![{described[1] if described else ''}]({FOLDER}/{drawing_of(source).name})"


async def draw() -> None:
    """Draw every diagram, and remove the drawings of former ones."""
    folder = DOCS / FOLDER
    folder.mkdir(exist_ok=True)
    for former in folder.glob("*.svg"):
        former.unlink()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=tools.BROWSER.find(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        await page.add_script_tag(content=_mermaid())
        for source in sources():
            svg: str = await page.evaluate(DRAW, source)
            drawing_of(source).write_text(svg.replace('style="', f'style="{BACKGROUND}', 1) + "\n")
        await browser.close()


def _mermaid() -> str:
    with tempfile.TemporaryDirectory() as directory:
        command = ["npm", "pack", "--silent", "--pack-destination", directory, MERMAID]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        [package] = Path(directory).glob("*.tgz")
        with tarfile.open(package) as archive:
            script = archive.extractfile("package/dist/mermaid.min.js")
            assert script
            return script.read().decode()


if __name__ == "__main__":
    asyncio.run(draw())
