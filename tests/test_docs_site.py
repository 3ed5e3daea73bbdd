"""The documents as a site: complete, whole, and without a word from the internet."""

from pathlib import Path

import pytest

from docs.generate.site import DOCS, SiteError, build, check_navigation, llms, navigation
from docs.generate.site_links import faults


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; the build raises for a broken link."""
    return build(tmp_path_factory.mktemp("site") / "site")


def test_each_page_is_there_for_browsers_and_as_markdown(site: Path) -> None:
    for page in DOCS.glob("*.md"):
        assert (site / page.name).is_file()
        shown = (site / f"{page.stem}.html").read_text()
        assert "<h1" in shown
        assert f'type="text/markdown" href="{page.name}"' in shown
    listed = (site / "llms.txt").read_text()
    assert listed == llms(navigation(), site)
    assert all(f"]({page.name}): " in listed for page in DOCS.glob("*.md"))


def test_commands_notes_and_diagrams_are_set_as_such(site: Path) -> None:
    tutorial = (site / "tutorial.html").read_text()
    assert tutorial.count('<div class="highlight">') >= 8
    assert "```" not in tutorial
    assert "[!WARNING]" not in (site / "retention.html").read_text()
    assert (site / "architecture.html").read_text().count('src="images/diagrams/') == 2


def test_a_page_without_a_line_in_the_navigation_fails_the_build() -> None:
    pages = {page.name for page in DOCS.glob("*.md")}
    for wrong in (pages | {"new.md"}, pages - {"jobs.md"}):
        with pytest.raises(SiteError, match=r"new\.md|jobs\.md"):
            check_navigation(wrong, navigation())


def test_broken_links_and_files_from_the_internet_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h2 id="here"></h2><a href="#here"></a><a href="b.html#there"></a><a href="https://example.org"></a>'
        '<a href="gone.html"></a><a href="b.html#gone"></a><script src="https://example.org/x.js"></script>'
    )
    (tmp_path / "b.html").write_text('<h2 id="there"></h2><img src="none.png"><a href="../outside.html"></a>')
    (tmp_path.parent / "outside.html").touch()
    assert sorted(faults(tmp_path)) == [
        "a.html: <script> loads https://example.org/x.js",
        "a.html: b.html#gone has no such heading",
        "a.html: gone.html leads nowhere",
        "b.html: ../outside.html leads nowhere",
        "b.html: none.png leads nowhere",
    ]
