"""Find broken links of a built site, and what it would load from the internet."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src"}


def faults(site: Path) -> list[str]:
    """Return a line for each link that leads nowhere, and each file that is loaded from elsewhere."""
    pages = {page: _Page(page.read_text()) for page in site.rglob("*.html")}
    return [fault for page, parsed in pages.items() for fault in _of_page(site, page, parsed, pages)]


def _of_page(site: Path, page: Path, parsed: "_Page", pages: dict[Path, "_Page"]) -> Iterator[str]:
    for tag, address in parsed.addresses:
        parts = urlsplit(address)
        if parts.scheme == "data" or parts.scheme == "mailto":
            continue
        if parts.scheme or parts.netloc:
            if tag != "a":
                yield f"{page.name}: <{tag}> loads {address}"
            continue
        base = site if parts.path.startswith("/") else page.parent  # 404.html is at no address of its own
        target = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else page.resolve()
        if not target.exists() or not target.is_relative_to(site.resolve()):
            yield f"{page.name}: {address} leads nowhere"
        elif parts.fragment and target in pages and parts.fragment not in pages[target].ids:
            yield f"{page.name}: {address} has no such heading"


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.addresses: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {given[name] or "" for name in ("id", "name") if given.get(name)}
        address = given.get("href") if tag == "a" else given.get(LOADED.get(tag, ""))
        if address:
            self.addresses.append((tag, address))
