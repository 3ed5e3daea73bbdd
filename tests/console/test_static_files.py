"""The files of the console, and the page at the root address."""

import gzip
import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from apps.api.console.static_files import FOLDER
from libs import __version__
from tests.support.client import Answer, Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site import Site

ROOT = Path(__file__).parents[2]
VENDOR = FOLDER / "vendor"
FIRST_LOAD_BYTES = 200_000
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
IMPORTED = re.compile(r"""^(?:import|export) [^"]*"(\.[^"]+)";$""", re.MULTILINE)
LINKED = re.compile(r"""(?:href|src)="(/console/static/[^"]+)""")


@pytest.fixture
async def anyone(site: Site) -> AsyncIterator[Client]:
    async with Client(site) as client:
        yield client


async def raw(anyone: Client, path: str, **headers: str) -> Answer:
    """An answer as it is sent, compressed or not."""
    async with anyone.session.get(anyone.site.url + path, headers=headers, auto_decompress=False) as answer:
        return Answer(answer.status, answer.headers.copy(), await answer.read())


@ON_ONE_SITE
async def test_a_browser_gets_a_page_at_the_root_and_a_program_gets_json(anyone: Client) -> None:
    page = await anyone.call("GET", "/", headers=BROWSER)
    assert page.headers["Content-Type"].startswith("text/html")
    text = page.body.decode()
    for part in (__version__, "all parts answer", 'href="/console/library"', 'href="/schema"', "og:title"):
        assert part in text
    for accept in ("*/*", "application/json"):
        found = await anyone.call("GET", "/", headers={"Accept": accept})
        assert found.json == {
            "name": "Darkroom",
            "version": __version__,
            "health": "ok",
            "console": "/console/",
            "schema": "/schema",
        }
    assert (await anyone.call("GET", "/favicon.ico")).headers["Content-Type"] == "image/svg+xml"


@ON_ONE_SITE
@pytest.mark.parametrize("path", ["/", "/console/", "/console/library", "/console/images/anything"])
async def test_pages_run_nothing_but_their_own_files_and_stand_in_no_frame(anyone: Client, path: str) -> None:
    page = await anyone.call("GET", path, headers=BROWSER)
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    text = page.body.decode()
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)


@ON_ONE_SITE
async def test_files_are_compressed_kept_for_good_and_not_sent_twice(anyone: Client) -> None:
    page = (await anyone.call("GET", "/console/library")).body.decode()
    [script] = re.findall(r'<script type="module" src="([^"]+)"', page)
    plain, packed = (
        await raw(anyone, script, **{"Accept-Encoding": "identity"}),
        await raw(anyone, script, **{"Accept-Encoding": "gzip"}),
    )
    assert plain.body == gzip.decompress(packed.body) == (FOLDER / "app.js").read_bytes()
    assert "immutable" in plain.headers["Cache-Control"]
    assert packed.headers["Vary"] == "Accept-Encoding"
    known = await raw(anyone, script, **{"If-None-Match": plain.headers["ETag"]})
    assert (known.status, known.body) == (304, b"")
    base = script.removesuffix("app.js")
    for missing in (f"{base}none.js", f"{base}../pages.py", "/console/static/0123456789abcdef/app.js"):
        assert (await raw(anyone, missing)).status == 404


@ON_ONE_SITE
async def test_the_first_load_is_small(anyone: Client) -> None:
    """All that the library needs: the page, its styles, and each module that is imported."""
    page = await raw(anyone, "/console/library", **{"Accept-Encoding": "gzip"})
    linked = set(LINKED.findall(gzip.decompress(page.body).decode()))
    base = next(one for one in linked if one.endswith("app.js")).removesuffix("app.js")
    left = [one.removeprefix(base) for one in linked] + ["views/library/index.js", "styles/views/library.css"]
    seen: dict[str, int] = {}
    while left:
        name = left.pop()
        if name in seen:
            continue
        answer = await raw(anyone, base + name, **{"Accept-Encoding": "gzip"})
        assert answer.status == 200, name
        seen[name] = len(answer.body)
        if name.endswith(".js"):
            folder = (FOLDER / name).parent
            for other in IMPORTED.findall((FOLDER / name).read_text()):
                left.append((folder / other).resolve().relative_to(FOLDER).as_posix())
    assert "vendor/preact.js" in seen
    assert len(seen) > 20
    assert sum(seen.values()) + len(page.body) < FIRST_LOAD_BYTES


def test_files_of_others_are_those_of_their_packages() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.M)
    files = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert {name for name, _ in rows} == files - {"README.md"}
    for name, digest in rows:
        assert sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_the_wheel_has_every_file_of_the_console(tmp_path: Path) -> None:
    build = (
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        tmp_path,
        ROOT,
    )
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    folder = FOLDER.relative_to(ROOT)
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith(f"{folder}/")}
    assert packed == {path.relative_to(ROOT).as_posix() for path in FOLDER.rglob("*") if path.is_file()}


def test_no_module_of_the_console_writes_html_or_runs_text() -> None:
    forbidden = re.compile(
        r"innerHTML|dangerouslySetInnerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function"
    )
    modules = [path for path in FOLDER.rglob("*.js") if VENDOR not in path.parents]
    assert len(modules) > 30
    assert [path.name for path in modules if forbidden.search(path.read_text())] == []
