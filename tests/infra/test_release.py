"""A release names its version everywhere, and is tagged."""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from infra.release import CHANGELOG, ROOT, SHOWN_IN, CannotRelease, release, version_of

TODAY = date(2026, 12, 24)
NEW = "7.0.1"
AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def git(tree: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *AUTHOR, *arguments], cwd=tree, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the files that a release changes."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")
    for name in (CHANGELOG, *SHOWN_IN):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "All")
    return tmp_path


def test_a_release_names_its_version_everywhere_and_dates_the_changes(tree: Path) -> None:
    old, changes = version_of(tree), (tree / CHANGELOG).read_text().partition("## Unreleased\n")[2]
    release(tree, NEW, TODAY)
    for name in SHOWN_IN:
        text = (tree / name).read_text()
        assert NEW in text
        assert old not in text
    assert (tree / CHANGELOG).read_text().endswith(f"## Unreleased\n\n## {NEW} - 2026-12-24\n{changes}")
    assert git(tree, "describe").strip() == f"v{NEW}"
    assert git(tree, "status", "--porcelain") == ""


def test_a_release_without_changes_or_of_an_older_version_is_refused(tree: Path) -> None:
    for version in ("0.0.9", "9", "9.0.0rc1", version_of(tree)):
        with pytest.raises(CannotRelease, match="higher"):
            release(tree, version, TODAY)
    release(tree, NEW, TODAY)
    with pytest.raises(CannotRelease, match="no unreleased changes"):
        release(tree, "7.0.2", TODAY)
    (tree / CHANGELOG).write_text("changed")
    with pytest.raises(CannotRelease, match="not committed"):
        release(tree, "7.0.2", TODAY)
    assert git(tree, "tag").split() == [f"v{NEW}"]
