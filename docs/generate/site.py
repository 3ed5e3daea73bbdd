"""Build the documents as a site: `make docs-site`.

The site works without a network, from a folder or a server, and has each page as Markdown too.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.generate.diagrams import BLOCK, picture_of
from docs.generate.site_links import faults

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
CONFIG = DOCS / "zensical.toml"
FENCE_MARK = re.compile(r"^( *```\w+) \S.*$", re.MULTILINE)
LINK_OUT = re.compile(r"\[([^]]+)]\(\.\./([^)\s]+)\)")
SHIM, SHIM_ADDRESS = "iframe-worker.js", re.compile(r"https://[^\"]+/iframe-worker/shim")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
Nav = list[tuple[str, list[tuple[str, str]]]]


class SiteError(Exception):
    """The site cannot be built as it is written."""


def build(site: Path) -> Path:
    """Write the site below a folder, and return the folder of its pages.

    Raises:
        SiteError: A page is missing in the navigation, or the other way about; or a link is broken.
    """
    check_navigation({page.name for page in DOCS.glob("*.md")}, navigation())
    shutil.rmtree(site, ignore_errors=True)
    pages, html = site / "pages", site / "html"
    stage(pages)
    shutil.copy(CONFIG, site)
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict", "--clean"]
    built = subprocess.run(command, cwd=site, capture_output=True, text=True)  # noqa: S603
    if built.returncode:
        raise SiteError(ANSI.sub("", built.stdout))
    for page in pages.glob("*.md"):
        shutil.copy(page, html)
    _finish(html)
    (html / "llms.txt").write_text(llms(navigation(), pages))
    if found := faults(html):
        raise SiteError("\n".join(found))
    return html


def _finish(html: Path) -> None:
    """Name the Markdown of each page in its head; load the one foreign script from the site itself."""
    shutil.copy(DOCS / "site" / SHIM, html / "assets")
    for page in html.glob("*.html"):
        text = SHIM_ADDRESS.sub(f"assets/{SHIM}", page.read_text())
        if page.with_suffix(".md").exists():
            source = f'<link rel="alternate" type="text/markdown" href="{page.stem}.md">'
            text = text.replace("</head>", f"{source}</head>", 1)
        page.write_text(text)


def navigation() -> Nav:
    """Return the sections of the navigation, each with its titles and pages."""
    project: dict[str, Any] = tomllib.loads(CONFIG.read_text())["project"]
    sections: Nav = []
    for entry in project["nav"]:
        [(title, content)] = entry.items()
        pages = [(title, content)] if isinstance(content, str) else [(*one.items(),)[0] for one in content]
        sections.append((title, pages))
    return sections


def check_navigation(pages: set[str], sections: Nav) -> None:
    """Raise SiteError unless each page has one line in the navigation."""
    named = [page for _, content in sections for _, page in content]
    missing, gone = sorted(pages - set(named)), sorted(set(named) - pages)
    twice = sorted({page for page in named if named.count(page) > 1})
    if missing or gone or twice:
        raise SiteError(f"{CONFIG.name}: not in the navigation {missing}; no such page {gone}; twice {twice}")


def stage(target: Path) -> None:
    """Copy the pages and what they show, so that nothing in them leads out of the folder."""
    target.mkdir(parents=True)
    shutil.copytree(DOCS / "images", target / "images", ignore=shutil.ignore_patterns("*.py"))
    shutil.copytree(DOCS / "examples", target / "examples")
    shutil.copy(DOCS / "site/site.css", target)
    for page in DOCS.glob("*.md"):
        text = FENCE_MARK.sub(r"\1", page.read_text())
        text = BLOCK.sub(lambda block: picture_of(block["source"]), text)
        text = LINK_OUT.sub(lambda link: _inside(link, target), text)
        (target / page.name).write_text(text)


def _inside(link: re.Match[str], target: Path) -> str:
    """Link a copy of a file outside of docs/; leave the text alone for a folder."""
    text, path = link[1], link[2]
    if not (ROOT / path).is_file():
        return text
    name = Path(path).name.lstrip(".")  # a server may hide names that begin with a dot
    name = f"{name}.txt" if name.endswith(".md") else name  # else it would be a page
    (target / "files").mkdir(exist_ok=True)
    shutil.copy(ROOT / path, target / "files" / name)
    return f"[{text}](files/{name})"


def llms(sections: Nav, pages: Path) -> str:
    """Return the text of llms.txt: every page with its first sentence."""
    return "\n".join(_llms_lines(sections, pages)) + "\n"


def _llms_lines(sections: Nav, pages: Path) -> Iterator[str]:
    project = tomllib.loads(CONFIG.read_text())["project"]
    yield from (f"# {project['site_name']}", "", f"> {project['site_description']}")
    for title, content in sections:
        yield from ("", f"## {title}", "")
        for name, page in content:
            yield f"- [{name}]({page}): {first_sentence((pages / page).read_text())}"


def first_sentence(page: str) -> str:
    """Return the first sentence of a page's first paragraph of prose."""
    paragraphs = re.split(r"\n\s*\n", page)
    prose = (one for one in paragraphs if re.match(r"[A-Z`]", one))
    text = re.sub(r"\[([^]]+)]\([^)]*\)", r"\1", " ".join(next(prose, "").split()))
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0].rstrip(":")


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{build(ROOT / 'site')}/index.html\n")
    except SiteError as error:
        sys.exit(str(error))
